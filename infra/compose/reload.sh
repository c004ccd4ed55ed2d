#!/bin/sh
# In nginx's container, before it starts: a renewed certificate, or new addresses of Cloudflare, is used within moments.
conf=/run/nginx/nginx.conf
read=${READ_FILE:-/run/nginx/read}
touch "$read"
while sleep 15; do
  if [ -n "$(find "${TLS_FOLDER:-/tls}" "${SOMOS_NGINX:-/srv/nginx}" -newer "$read")" ]; then
    touch "$read"
    nginx -q -t -c "$conf" && nginx -c "$conf" -s reload
  fi
done &
