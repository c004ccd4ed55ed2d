# shellcheck shell=bash
# Sourced by deploy and by infra/compose/compose: what this house is told, and which files of a release compose reads.
for file in "${SOMOS_ENV:-/etc/somos/.env}" "${SOMOS_DEPLOY_ENV:-/etc/somos/deploy.env}"; do
  # shellcheck source=/dev/null
  if [[ -r $file ]]; then set -a && . "$file" && set +a; fi
done
export REGISTRY=${REGISTRY:-ghcr.io/somos}
export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-somos}
functions=${FUNCTIONS:-openfaas} # openfaas | knative | compose
stack=${STACK:-stack.yml}

files=infra/compose/data.yaml:infra/compose/edge.yaml:infra/compose/watch.yaml:infra/services/compose.yaml
case $functions:$stack in
  compose:*)
    files+=:infra/services/units.yaml
    SOMOS_PLACEMENT=compose FUNCTION_URL='http://{unit}:8080'
    ;;
  openfaas:*compact*) SOMOS_PLACEMENT=${SOMOS_PLACEMENT:-compact} ;;
  *) SOMOS_PLACEMENT=${SOMOS_PLACEMENT:-function} ;;
esac
export SOMOS_PLACEMENT FUNCTION_URL=${FUNCTION_URL:-} COMPOSE_FILE=${COMPOSE_FILE:-$files}
