-- One fixed body, built once: nothing of this file runs for a request.
wrk.method = "POST"
wrk.body = '{"userId":"123456"}'
wrk.headers["Content-Type"] = "application/json"
