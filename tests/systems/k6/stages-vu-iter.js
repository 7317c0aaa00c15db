import http from 'k6/http';
import { check, sleep } from 'k6';

// Up, hold, down; ids of VU and iteration.
export const options = {
  stages: [
    { duration: '1s', target: 3 },
    { duration: '500ms', target: 3 },
    { duration: '500ms', target: 0 },
  ],
  thresholds: {
    http_req_duration: ['p(95)<5000', 'p(99)<8000'],
    checks: ['rate>0.99'],
  },
};

const BASE_URL = __ENV.BASE_URL || 'http://localhost:8080';
const COUPON_ID = 7;

export default function () {
  const payload = JSON.stringify({
    userId: `user-${__VU}-${__ITER}`,
    couponId: COUPON_ID,
  });
  const params = { headers: { 'Content-Type': 'application/json' }, timeout: '5s' };

  const res = http.post(`${BASE_URL}/api/coupons/${COUPON_ID}/issue`, payload, params);

  check(res, {
    'issued or refused': (r) => r.status === 201 || r.status === 400,
    'fast enough': (r) => r.timings.duration < 500,
  });
  sleep(0.1);
}
