#!/bin/sh
# In nginx's container, before it starts: within the hour a renewed certificate, or new addresses of Cloudflare, is used.
while sleep "${RELOAD_S:-3600}"; do
  nginx -q -t -c /run/nginx/nginx.conf && nginx -c /run/nginx/nginx.conf -s reload
done &
