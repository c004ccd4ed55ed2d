# shellcheck shell=bash
# Sourced by backup, remotes and scripts/restore: settings, secrets, the database's address. Prints nothing.

# What the machine's owner chose; what is already in the environment wins.
load_settings() {
  local file=${SOMOS_BACKUP_ENV:-/etc/somos/backup.env} line name
  if [[ -r $file ]]; then
    while IFS= read -r line; do
      name=${line%%=*}
      if [[ $line =~ ^[A-Z_]+= && -z ${!name+set} ]]; then export "$name=${line#*=}"; fi
    done <"$file"
  fi
  SOMOS_SECRETS=${SOMOS_SECRETS:-/etc/somos/secrets}
  export RCLONE_CONFIG=${RCLONE_CONFIG:-/etc/somos/rclone.conf}
  if [[ -n ${PG_BIN:-} ]]; then PATH=$PG_BIN:$PATH; fi
}

fail() {
  local code=$1
  shift
  printf 'erro: %s\n' "$*" >&2
  exit "$code"
}

# secret database-owner-url: the environment's DATABASE_OWNER_URL, else the file of that name.
secret() {
  local variable=${1^^}
  variable=${variable//-/_}
  if [[ -n ${!variable:-} ]]; then
    printf '%s' "${!variable}"
  elif [[ -r $SOMOS_SECRETS/$1 ]]; then
    printf '%s' "$(<"$SOMOS_SECRETS/$1")"
  else
    fail 1 "falta o segredo $1: defina $variable ou escreva $SOMOS_SECRETS/$1"
  fi
}

only_ours() {
  local mode
  mode=$(stat -c %a "$1") || fail 1 "falta o arquivo $1"
  [[ $mode == 600 || $mode == 400 ]] || fail 1 "$1 pode ser lido por outros (modo $mode): chmod 600 $1"
}

# Where libpq finds the database of an address, by the environment: passwords never show among the processes.
reach() {
  local pattern='^postgres(ql)?(\+[a-z0-9]+)?://([^:@/]+):([^@/]*)@([^:/?]+)(:([0-9]+))?/([^?]+)(\?(.*))?$'
  [[ $1 =~ $pattern ]] || fail 1 "endereço de banco que não se entende (postgresql://papel:senha@host:porta/banco)"
  export PGUSER PGPASSWORD PGHOST=${BASH_REMATCH[5]} PGPORT=${BASH_REMATCH[7]:-5432} PGDATABASE=${BASH_REMATCH[8]}
  local user=${BASH_REMATCH[3]} password=${BASH_REMATCH[4]} query=${BASH_REMATCH[10]:-}
  PGUSER=$(printf '%b' "${user//%/\\x}")
  PGPASSWORD=$(printf '%b' "${password//%/\\x}")
  if [[ $query =~ sslmode=([a-z-]+) ]]; then export PGSSLMODE=${BASH_REMATCH[1]}; fi
}

ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
