# What benches/memory, open-model and stampede share: the program, and an nginx that answers at once.
# Sourced, with `set -euo pipefail` and the repository as the working directory.

for program in nginx taskset python3; do
    command -v "$program" >/dev/null || {
        echo "$program is missing: apt-get install nginx util-linux python3" >&2
        exit 1
    }
done

# A binary that is there already is taken as it is.
if [[ -z ${FCFS_BENCH:-} ]]; then
    cargo build --release --quiet --bin fcfs-bench
    FCFS_BENCH=${CARGO_TARGET_DIR:-target}/release/fcfs-bench
fi
work=$(mktemp -d)
nginx=
trap '[[ -z $nginx ]] || { kill $nginx; wait $nginx || true; } 2>/dev/null; rm -rf "$work"' EXIT

# start_nginx [WORKERS]: starts nginx on the last core, for as many connections as each of its workers
# may have; sets `url`.
start_nginx() {
    local port most
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # As root the hard limit can be raised as well.
    ulimit -n 65536 2>/dev/null || ulimit -Sn "$(ulimit -Hn)"
    most=$(($(ulimit -n) - 100))
    cat >"$work/nginx.conf" <<CONF
worker_processes ${1:-1};
daemon off;
pid $work/nginx.pid;
error_log $work/error.log;
events { worker_connections $((most < 65536 ? most : 65536)); multi_accept on; }
http {
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 3600s;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    default_type application/json;
    server {
        listen 127.0.0.1:$port backlog=8192 reuseport;
        location / { return 200 '{"result":"SUCCESS","couponId":17}'; }
    }
}
CONF
    taskset -c $(($(nproc) - 1)) nginx -c "$work/nginx.conf" &
    nginx=$!
    for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.1
    done
    url=http://127.0.0.1:$port
}

# run NAME LOAD [STEPS]: runs the load into "$work/NAME", on the first core, or with CORES on so many, a
# thread for each.
run() {
    cat >"$work/$1.yaml" <<YAML
name: $1
target: { url: "$url" }
users: { pool: 100_000_000 }
load: { it: { $2 } }
flows:
  issue:
    - post: /issue
      json: { userId: "{{ user }}" }
      outcomes:
        issued: { status: 200, json: { /result: SUCCESS }, id: /couponId }
${3:-}
YAML
    # 112: a generator that is saturated says so, and its figures are shown all the same.
    taskset -c "0-$((${CORES:-1} - 1))" "$FCFS_BENCH" run "$work/$1.yaml" --quiet --threads "${CORES:-1}" --out "$work/$1" \
        2>"$work/$1.log" || [[ $? == 112 ]] || {
        cat "$work/$1.log" >&2
        return 1
    }
}
