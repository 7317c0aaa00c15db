import http from 'k6/http';
import { check, sleep, fail } from 'k6';
import { SharedArray } from 'k6/data';
import { signed } from './signing.js';

const users = new SharedArray('users', () => JSON.parse(open('./users.json')));

export const options = {
  scenarios: {
    members: { executor: 'constant-vus', vus: 2, duration: '1s', exec: 'member', gracefulStop: '5s' },
    visitors: { executor: 'shared-iterations', vus: 2, iterations: 6, exec: 'visitor', startTime: '200ms' },
  },
};

export function member() {
  const user = users[__VU % users.length];
  const login = http.post('http://localhost:8080/login', JSON.stringify({ name: user.name, password: user.password }), {
    headers: { 'Content-Type': 'application/json' },
  });
  if (!check(login, { 'logged in': (r) => r.status === 200 })) {
    fail('no token');
  }
  const token = login.json('data.accessToken');
  const res = http.post('http://localhost:8080/coupons/9/issue', JSON.stringify({ requestId: signed(user) }), {
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    redirects: 0,
  });
  check(res, {
    'issued': (r) => r.status === 200 && JSON.parse(r.body).code === 'SUCCESS',
    'sold out': (r) => r.status === 400 && r.json().code === 'COUPON_03',
    'already issued': (r) => r.status === 400 && r.body.includes('COUPON_05'),
  });
  http.batch([['GET', 'http://localhost:8080/me']]);
  sleep(0.2);
}

export const visitor = () => {
  for (let i = 0; i < 3; i++) {
    http.get('http://localhost:8080/coupons/9');
  }
};
