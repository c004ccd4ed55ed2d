"""The whole server as compose files: what each container may take, reach and read, and that their parts agree."""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, text

from somos.local import valkey
from somos.local.addresses import free_port
from somos.settings import ROOT
from tests.deploy.edge import NGINX, running
from tests.deploy.ports import until_open

INFRA = ROOT / "infra"
COMPOSE = INFRA / "compose"
FILES = [COMPOSE / "data.yaml", COMPOSE / "edge.yaml", COMPOSE / "watch.yaml"]
OURS = [INFRA / "services" / "compose.yaml", INFRA / "services" / "units.yaml"]

Service = dict[str, Any]


def _services(*files: Path) -> dict[str, Service]:
    found: dict[str, Service] = {}
    for file in files:
        services = yaml.safe_load(file.read_text())["services"]
        assert not found.keys() & services.keys()
        found |= services
    return found


ALL = _services(*FILES, *OURS)
DATA, WATCH, HOUSE = _services(FILES[0]), _services(FILES[2]), _services(*FILES)
UNITS = _services(OURS[1])


def _limit(service: Service) -> int:
    return int(service["deploy"]["resources"]["limits"]["memory"].removesuffix("M"))


def _share(services: dict[str, Service]) -> int:
    return sum(_limit(one) * one["deploy"].get("replicas", 1) for one in services.values())


# -- each container


@pytest.mark.parametrize("name", ALL)
def test_a_container_is_limited_watched_pinned_and_can_write_nothing_but_its_own(name: str) -> None:
    service = ALL[name]
    assert _limit(service) > 0
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "docker.sock" not in json.dumps(service)
    # Loki's image has nothing to ask with: Prometheus asks.
    assert "healthcheck" in service or name == "loki"
    ours = r"\$\{REGISTRY:-ghcr\.io/somos\}/somos-(core|ai):\$\{TAG:-latest\}"
    assert re.fullmatch(rf"[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.]+)?|{ours}", service["image"])
    as_root = {"nginx", "certbot", "alloy"}
    assert ("10001:10001" in service.get("user", "")) is (name not in as_root)


def test_only_the_edge_is_heard_by_strangers() -> None:
    for name, service in ALL.items():
        for port in service.get("ports", []):
            assert name == "nginx" or re.match(r"(127\.0\.0\.1|\$\{INSIDE:-127\.0\.0\.1\}):\d+:\d+$", port), (
                name,
                port,
            )
    assert ALL["nginx"]["ports"] == ["80:80", "443:443"]
    assert not any(service.get("network_mode") for service in ALL.values())


def test_all_together_keep_to_the_shares_of_a_machine_of_32_gib() -> None:
    ours = _share(_services(*OURS))
    shares = {
        8192: _limit(DATA["postgres"]) + _limit(DATA["pgbouncer"]),
        4096: _limit(DATA["qdrant"]),
        512: _limit(HOUSE["nginx"]) + _limit(HOUSE["certbot"]),
    }
    assert all(share == most for most, share in shares.items()), shares
    assert _limit(DATA["redis"]) == _limit(DATA["objects"]) == _share(WATCH) == 2048
    assert ours <= 8192
    assert _share(ALL) <= 32 * 1024 - 3584 - 2048  # the system and Docker; the web front


def test_a_deployment_leaves_what_keeps_data_alone() -> None:
    for name, service in DATA.items():
        assert not [one for one in service["volumes"] if one.startswith(".")], name
        assert "$" not in service["image"]


# -- what they mount


def test_every_secret_is_one_that_the_house_makes_or_asks_for(tmp_path: Path) -> None:
    told = {"PATH": os.environ["PATH"], "SOMOS_SECRETS": str(tmp_path / "secrets"), "SOMOS_ENV": str(tmp_path / "env")}
    said = subprocess.run([INFRA / "secrets"], env=told, capture_output=True, text=True, check=True).stdout
    known = {file.name for file in (tmp_path / "secrets").iterdir()} | set(re.findall(r"^falta  ([\w-]+):", said, re.M))
    for file in (*FILES, *OURS):
        declared = yaml.safe_load(file.read_text()).get("secrets", {})
        used = {
            one if isinstance(one, str) else one["source"]
            for service in _services(file).values()
            for one in service.get("secrets", [])
        }
        assert used == declared.keys() <= known
        assert all(f"/{name}" in one["file"] for name, one in declared.items())
    identities = json.loads((tmp_path / "secrets" / "s3-identities").read_text())["identities"]
    [credential] = identities[0]["credentials"]
    assert credential["secretKey"] == (tmp_path / "secrets" / "s3-secret-key").read_text().strip()
    # What compose fills in holds no secret any more.
    assert not re.search("password|secret=|key=", (tmp_path / "env").read_text(), re.I)
    filled = set(re.findall(r"\$\{([A-Z_]+)", "".join(file.read_text() for file in (*FILES, *OURS))))
    written = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    told_elsewhere = {"TAG", "INSIDE", "SOMOS_DATA", "SOMOS_PLACEMENT", "FUNCTION_URL", "GATEWAY_URL"}
    assert filled - written == told_elsewhere | {"FUNCTIONS_UPSTREAM"}


def test_everything_mounted_is_in_the_repository_or_made_before(tmp_path: Path) -> None:
    for _ in range(2):
        made = subprocess.run(
            [COMPOSE / "folders", "--root", tmp_path], capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
        )
        assert made.returncode == 0, made.stderr
    assert made.stdout == ""
    of_the_machine = {"/", "/var/lib/docker/containers"}
    volumes = {k: v for file in FILES for k, v in yaml.safe_load(file.read_text())["volumes"].items()}
    named = set()
    for service in HOUSE.values():
        for source in (mount.split(":")[0] for mount in service.get("volumes", [])):
            if source.startswith("."):
                assert (COMPOSE / source).exists(), source
            elif source.startswith("/"):
                assert source in of_the_machine or (tmp_path / source[1:]).is_dir(), source
            else:
                named.add(source)
    assert named == volumes.keys()
    for name, volume in volumes.items():
        place = tmp_path / "srv" / "somos" / name
        assert volume["driver_opts"]["device"] == f"${{SOMOS_DATA:-/srv/somos}}/{name}"
        assert place.is_dir()
        if os.geteuid() == 0:
            users = {str(one.get("user", "0")).split(":")[0] for one in HOUSE.values() if _mounts(one, name)}
            assert {str(place.stat().st_uid)} == users, name
    pooler = (tmp_path / "etc/somos/pgbouncer/pgbouncer.ini").read_text()
    assert "${" not in pooler
    assert "somos = host=postgres port=5432 dbname=somos" in pooler
    assert f"auth_file = /run/secrets/{DATA['pgbouncer']['secrets'][0]}" in pooler
    connections = int(re.search(r"-cmax_connections=(\d+)", str(DATA["postgres"]["command"]))[1])  # type: ignore[index]
    assert int(re.search(r"default_pool_size = (\d+)", pooler)[1]) < connections / 2  # type: ignore[index]


def _mounts(service: Service, name: str) -> bool:
    return any(mount.startswith(f"{name}:") and not mount.endswith(":ro") for mount in service.get("volumes", []))


# -- compose itself


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """`infra/compose/compose config` as this machine's compose reads it, old or new."""
    folder = tmp_path_factory.mktemp("compose")
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True) if shutil.which("docker") else None
    if plugin is None or plugin.returncode:
        older = shutil.which("docker-compose")
        if older is None:
            pytest.skip("falta o programa docker-compose: apt-get install docker-compose")
        (folder / "docker").write_text(f'#!/bin/sh\nshift\nexec {older} "$@"\n')
        (folder / "docker").chmod(0o755)

    def config(**told: str) -> Any:
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "SOMOS_ENV": "/dev/null", "TAG": "7", **told}
        environment["SOMOS_DEPLOY_ENV"] = str(folder / "deploy.env")
        (folder / "deploy.env").write_text("")
        ran = subprocess.run(
            [COMPOSE / "compose", "config"], env=environment, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        return yaml.safe_load(ran.stdout)["services"]

    return config


def test_compose_reads_the_house_with_units_as_containers(compose: Callable[..., Any]) -> None:
    read = compose(FUNCTIONS="compose", REGISTRY="ghcr.io/casa")
    assert read.keys() == ALL.keys()
    assert read["auth"]["image"] == "ghcr.io/casa/somos-core:7"
    assert read["nginx"]["environment"]["SOMOS_PLACEMENT"] == "compose"
    worker = read["somos-worker"]["environment"]
    assert (worker["SOMOS_PLACEMENT"], worker["FUNCTION_URL"]) == ("compose", "http://{unit}:8080")
    known = json.loads((ROOT / "gateway" / "units.json").read_text())["compose"]
    assert set(known.values()) == UNITS.keys()


def test_compose_reads_the_house_beside_openfaas(compose: Callable[..., Any]) -> None:
    told = {"GATEWAY_URL": "http://10.0.0.2:8080", "FUNCTIONS_UPSTREAM": "10.0.0.2:8080", "INSIDE": "10.0.0.1"}
    read = compose(FUNCTIONS="openfaas", STACK="infra/openfaas/stack.compact.yml", **told)
    assert read.keys() == ALL.keys() - UNITS.keys()
    assert read["nginx"]["environment"]["SOMOS_PLACEMENT"] == "compact"
    assert read["nginx"]["environment"]["FUNCTIONS_UPSTREAM"] == "10.0.0.2:8080"
    assert read["somos-worker"]["environment"]["GATEWAY_URL"] == "http://10.0.0.2:8080"
    assert "10.0.0.1" in str(read["pgbouncer"]["ports"])


# -- the edge


def test_nginx_is_told_every_name_that_its_template_asks_for() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)\}", (NGINX / "nginx.conf.template").read_text()))
    assert HOUSE["nginx"]["environment"].keys() - {"NGINX_ENVSUBST_OUTPUT_DIR"} == asked
    assert HOUSE["nginx"]["environment"]["REALTIME_UPSTREAM"] == f"somos-realtime:{ALL['somos-realtime']['expose'][0]}"


def test_nginx_finds_each_unit_by_its_containers_name(needs: Callable[[str, str], str], tmp_path: Path) -> None:
    folder, port = tmp_path / "nginx", free_port()
    shutil.copytree(NGINX, folder)
    tmp_path.chmod(0o755)
    with _names(set(UNITS)) as names:
        units = folder / "units" / "compose.conf"
        written = units.read_text()
        # Docker's own resolver, and the port of every container, stand elsewhere here.
        units.write_text(written.replace("127.0.0.11", f"127.0.0.1:{names}").replace(":8080", f":{port}"))
        with running(needs("nginx", "nginx-light"), {"SOMOS_PLACEMENT": "compose"}, folder, port) as edge:
            answer, raw = edge.ask("GET", "/api/v1/tags?x=1", {"Ce-Type": "forged"})
            reached = json.loads(raw)
            assert (answer.status, reached["path"], reached["headers"]["Host"]) == (
                200,
                "/api/v1/tags?x=1",
                "somos.test",
            )
            assert "Ce-Type" not in reached["headers"]
            assert json.loads(edge.ask("GET", "/health")[1])["path"] == "/_/ready"
            assert edge.ask("GET", "/api/v1/nothing")[0].status == 404


@contextmanager
def _names(known: set[str]) -> Iterator[int]:
    """A name server for whom every known name is this machine."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                asked, who = server.recvfrom(512)
            except OSError:
                return
            end = asked.index(b"\0", 12)
            name = asked[13:end].decode()
            found = name in known
            flags = 0x8180 if found else 0x8183
            header = asked[:2] + struct.pack(">HHHHH", flags, 1, int(found), 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH4B", 1, 1, 5, 4, 127, 0, 0, 1)
            server.sendto(header + asked[12 : end + 5] + (record if found else b""), who)

    threading.Thread(target=answer, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


def _stand_ins(folder: Path, **programs: str) -> dict[str, str]:
    (folder / "bin").mkdir()
    for name, script in programs.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bin" / name).chmod(0o755)
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "FOLDER": str(folder)}


def test_nginx_starts_with_a_certificate_of_our_own_and_gets_the_real_one_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    asked = 'echo "$@" >>"$FOLDER/asked"; [ $(wc -l <"$FOLDER/asked") -gt 1 ] || exit 1; '
    given = 'for one in fullchain privkey; do echo real >"$FOLDER/live/$one.pem"; done'
    waits = 'echo "$1" >>"$FOLDER/waits"; [ "$1" != 43200 ] || kill $PPID'
    told = _stand_ins(tmp_path, certbot=asked + given, sleep=waits)
    told |= {"TLS_FOLDER": str(tmp_path), "LIVE": str(tmp_path / "live"), "SOMOS_DOMAIN": "somos.test"}
    ran = subprocess.run(["sh", COMPOSE / "certificate"], env=told, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "waits").read_text().split() == ["10", "3600", "43200"]
    assert (tmp_path / "fullchain.pem").read_text() == (tmp_path / "privkey.pem").read_text() == "real\n"
    assert (tmp_path / "privkey.pem").stat().st_mode & 0o777 == 0o600
    first = (tmp_path / "asked").read_text().splitlines()[0]
    assert "--domain somos.test" in first
    assert HOUSE["certbot"]["volumes"][1].endswith(re.search(r"--webroot-path (\S+)", first)[1])  # type: ignore[index]


def test_nginx_takes_in_what_changed_only_when_it_can_be_read(tmp_path: Path) -> None:
    # The third time it wakes a file is new; the fifth time it does not get up any more.
    wakes = 'echo >>"$FOLDER/wakes"; n=$(wc -l <"$FOLDER/wakes"); [ $n != 3 ] || touch -d "+1 minute" "$FOLDER/tls/new"'
    told = _stand_ins(
        tmp_path, sleep=f"{wakes}; [ $n -lt 5 ]", nginx='echo "$@" >>"$FOLDER/said"; ! [ -e "$FOLDER/broken" ]'
    )
    told |= {
        "READ_FILE": str(tmp_path / "read"),
        "TLS_FOLDER": str(tmp_path / "tls"),
        "SOMOS_NGINX": str(tmp_path / "tls"),
    }
    (tmp_path / "tls").mkdir()

    def said() -> list[str]:
        (tmp_path / "said").write_text("")
        (tmp_path / "wakes").write_text("")
        (tmp_path / "tls" / "new").unlink(missing_ok=True)
        # Until what it leaves behind ends too, which holds its output open.
        subprocess.run([COMPOSE / "reload.sh"], capture_output=True, env=told, timeout=10)
        return (tmp_path / "said").read_text().splitlines()

    conf = f"-c {HOUSE['nginx']['environment']['NGINX_RUN']}/nginx.conf"
    assert conf in " ".join(HOUSE["nginx"]["command"])
    assert said() == [f"-q -t {conf}", f"{conf} -s reload"] * 2
    (tmp_path / "broken").touch()
    assert said() == [f"-q -t {conf}"] * 2


# -- the servers, as far as this machine has them


def test_redis_asks_for_the_password_of_its_secret_and_never_drops_a_queued_job(tmp_path: Path) -> None:
    secret = tmp_path / "redis-config"
    secret.write_text("requirepass uma-senha\n")
    port = free_port()
    command = [{"/run/secrets/redis-config": str(secret), "/data": str(tmp_path)}.get(one, one)
               for one in DATA["redis"]["command"]]  # fmt: skip
    program = valkey._binary()
    told = [program, *command[1:], "--port", str(port), "--bind", "127.0.0.1"]
    child = subprocess.Popen(list(map(str, told)), stdout=subprocess.DEVNULL)
    try:
        until_open(port, child)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port, retry=Retry(NoBackoff(), 0)).ping()
        client = redis.Redis(port=port, password="uma-senha", decode_responses=True)
        found: Any = client.config_get("maxmemory*", "append*")
        assert (found["maxmemory-policy"], found["appendonly"], found["appendfsync"]) == (
            "noeviction",
            "yes",
            "everysec",
        )
        assert int(found["maxmemory"]) >> 20 == 1536
        client.close()
    finally:
        child.terminate()
        child.wait(10)


def test_every_setting_told_to_postgresql_is_one(engine: Engine) -> None:
    told = dict(one.removeprefix("-c").split("=") for one in DATA["postgres"]["command"][1:])
    with engine.connect() as connection:
        known = set(connection.execute(text("select name from pg_settings")).scalars())
    assert told.keys() <= known
    assert told["shared_buffers"] == "2GB"


# -- what watches


def test_grafana_has_the_dashboards_and_the_sources_that_they_name() -> None:
    grafana, monitoring = WATCH["grafana"], INFRA / "monitoring"
    mounts = dict(one.split(":")[:2][::-1] for one in grafana["volumes"])
    sources = yaml.safe_load((monitoring / "grafana/datasources/somos.yml").read_text())["datasources"]
    [provider] = yaml.safe_load((monitoring / "grafana/dashboards/somos.yml").read_text())["providers"]
    boards = sorted((COMPOSE / mounts[provider["options"]["path"]]).glob("*.json"))
    assert len(boards) == 5
    assert (COMPOSE / mounts["/etc/grafana/provisioning"] / "datasources").is_dir()
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.name in {board.name for board in boards}
    named = {target["datasource"]["uid"] for board in boards for panel in json.loads(board.read_text())["panels"]
             for target in panel["targets"]}  # fmt: skip
    assert named <= {one["uid"] for one in sources}
    for one in sources:
        host, port = one["url"].removeprefix("http://").split(":")
        assert host in HOUSE
        assert port in {"9090", "3100", "5432"}
    database = sources[-1]
    assert f"alter role {database['user']} " in (INFRA / "postgres" / "watcher").read_text()
    for used in (database["secureJsonData"]["password"], grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"]):
        assert re.search(r"/run/secrets/([\w-]+)", used)[1] in grafana["secrets"]  # type: ignore[index]


def test_prometheus_asks_those_who_are_there_on_ports_that_they_open() -> None:
    config = yaml.safe_load((INFRA / "monitoring" / "prometheus.yml").read_text())
    jobs = {one["job_name"]: one for one in config["scrape_configs"]}
    [units] = jobs["units"]["dns_sd_configs"]
    assert set(units["names"]) == UNITS.keys()
    assert all(str(units["port"]) in one["expose"] for one in UNITS.values())
    asked = [target for job in jobs.values() for one in job.get("static_configs", []) for target in one["targets"]]
    assert {target.split(":")[0] for target in asked} - {"localhost"} <= ALL.keys()
    relay = ALL["somos-relay"]
    assert f"somos-relay:{relay['environment']['METRICS_PORT']}" in asked
    assert relay["expose"] == [relay["environment"]["METRICS_PORT"]]
    house = jobs["openfaas"]["file_sd_configs"][0]["files"][0]
    assert any(mount.split(":")[1] == str(Path(house).parent) for mount in WATCH["prometheus"]["volumes"])


def test_one_log_of_the_edge_is_written_turned_shipped_and_read_for_bans() -> None:
    hardening = INFRA / "hardening" / "files"
    shipper = (INFRA / "monitoring" / "logs.alloy").read_text()
    log = HOUSE["nginx"]["environment"]["NGINX_LOG"]
    assert f'__path__ = "{log}"' in shipper
    assert f"logpath = {log}\n" in (hardening / "fail2ban.conf").read_text()
    assert f"\n{log} {{" in (hardening / "logrotate.conf").read_text()
    assert "access_log ${NGINX_LOG} somos;" in (NGINX / "nginx.conf.template").read_text()
    folder = str(Path(log).parent)
    assert f"{folder}:{folder}" in HOUSE["nginx"]["volumes"]
    assert f"{folder}:{folder}:ro" in WATCH["alloy"]["volumes"]


def test_what_containers_say_reaches_loki_by_labels_of_few_values() -> None:
    shipper = (INFRA / "monitoring" / "logs.alloy").read_text()
    docker = json.loads((INFRA / "hardening" / "files" / "docker.json").read_text())
    assert docker["log-driver"] == "json-file"
    assert f'attrs.\\"{docker["log-opts"]["labels"]}\\"' in shipper
    logs = re.search(r'__path__ = "(/var/lib/docker/containers)/\*/\*-json\.log"', shipper)
    assert logs is not None
    assert f"{logs[1]}:{logs[1]}:ro" in WATCH["alloy"]["volumes"]
    labels = {name for told in re.findall(r"stage\.labels \{\s*values = \{(.*?)\}", shipper)
              for name in re.findall(r"(\w+) =", told)}  # fmt: skip
    assert labels == {"service", "function", "level"}
    loki = yaml.safe_load((INFRA / "monitoring" / "loki.yml").read_text())
    assert f"http://loki:{loki['server']['http_listen_port']}/loki/api/v1/push" in shipper
    limits = loki["limits_config"]
    assert loki["compactor"]["retention_enabled"]
    [edge] = limits["retention_stream"]
    assert edge["selector"] == '{service="nginx"}'
    assert int(edge["period"][:-1]) / 24 >= 183  # the Marco Civil's six months
    assert int(limits["retention_period"][:-1]) / 24 == 31
    assert loki["common"]["path_prefix"] == WATCH["loki"]["volumes"][1].split(":")[1]
