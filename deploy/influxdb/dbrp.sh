#!/bin/sh
# Run once by the image of InfluxDB 2 when it sets itself up: maps the bucket to a database, so that
# it can be asked in InfluxQL and written to by the v1 API.
set -eu
influx v1 dbrp create --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" \
    --db "$DOCKER_INFLUXDB_INIT_BUCKET" --rp autogen --default
