import http from 'k6/http';
import { check, sleep } from 'k6';
import { randomIntBetween } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:8080';

export const options = { vus: 5, iterations: 40 };

// An administrator logs in and makes the coupon; everybody asks with that token.
export function setup() {
  const login = http.post(`${BASE_URL}/admin/login`, JSON.stringify({ email: 'admin@shop.test', password: 'pw' }), {
    headers: { 'Content-Type': 'application/json' },
  });
  check(login, { 'logged in': (r) => r.status === 200 });
  const token = login.json('data.accessToken');
  const created = http.post(`${BASE_URL}/admin/coupons`, JSON.stringify({ quantity: 10 }), {
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
  });
  if (created.status !== 201) {
    throw new Error('no coupon');
  }
  sleep(1);
  return { token, couponId: created.json().data.id };
}

export default function (data) {
  const res = http.post(
    `${BASE_URL}/coupons/${data.couponId}/issue`,
    JSON.stringify({ userId: randomIntBetween(1, 20), couponId: data.couponId }),
    { headers: { Authorization: `Bearer ${data.token}`, 'Content-Type': 'application/json' } },
  );
  check(res, {
    issued: (r) => r.status === 200,
    'sold out or already issued': (r) => r.status === 409,
  });
}

export function teardown(data) {
  http.del(`${BASE_URL}/admin/coupons/${data.couponId}`, null, {
    headers: { Authorization: `Bearer ${data.token}` },
  });
}
