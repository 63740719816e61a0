#!/bin/sh
# certbot runs this after it has renewed a certificate: hands it to nginx, which reads it without dropping a connection.
# Install it once: sudo install -m 0755 deploy/renew-hook.sh /etc/letsencrypt/renewal-hooks/deploy/auth-system
# AUTH_SYSTEM_FOLDER is where docker-compose.prod.yml is; without containers nginx is a service of the machine.
set -eu

# cron knows /usr/bin and /bin alone.
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"

folder=${AUTH_SYSTEM_FOLDER:-/home/ec2-user/auth-system}
etc=${NGINX_FOLDER:-/etc/nginx}
containers=no
# Every clone has that file; nginx's key is in the folder only where nginx is a container.
if [ -e "$folder/docker-compose.prod.yml" ] && [ -e "$folder/nginx/ssl/privkey.pem" ]; then
    etc=$folder/nginx
    containers=yes
fi

# certbot may look after other names too.
name=$(sed -n 's/^ *server_name  *\([^ ;]*\);$/\1/p' "$etc/nginx.conf" | head -n 1)
case " $RENEWED_DOMAINS " in
    *" $name "*) ;;
    *) exit 0 ;;
esac

install -m 0644 "$RENEWED_LINEAGE/fullchain.pem" "$etc/ssl/fullchain.pem.new"
install -m 0600 "$RENEWED_LINEAGE/privkey.pem" "$etc/ssl/privkey.pem.new"
mv -f "$etc/ssl/fullchain.pem.new" "$etc/ssl/fullchain.pem"
mv -f "$etc/ssl/privkey.pem.new" "$etc/ssl/privkey.pem"

# A configuration that does not hold leaves the running one in force.
if [ "$containers" = yes ]; then
    cd "$folder"
    docker-compose -f docker-compose.prod.yml exec -T nginx nginx -s reload
else
    nginx -t -q && systemctl reload nginx
fi
