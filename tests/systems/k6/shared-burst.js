import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { randomIntBetween, uuidv4 } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';

export const options = {
  vus: 20,
  iterations: 60,
  duration: '1m',
  noConnectionReuse: true,
};

export function setup() {
  return { startedAt: Date.now() };
}

export default function () {
  const memberId = Math.floor(Math.random() * 1000) + 1;
  group('look', () => {
    http.get('http://localhost:8080/tickets/3');
    sleep(Math.random() * 0.2 + 0.1);
  });
  group('buy', () => {
    const headers = { 'content-type': 'application/json' };
    headers['Idempotency-Key'] = uuidv4();
    const res = http.post(`http://localhost:8080/tickets/3/orders`, JSON.stringify({ memberId, seats: [1, 2] }), { headers });
    switch (res.status) {
      case 201:
        break;
      case 410:
        console.log('sold out');
        break;
      case 409:
        console.log('already has one');
        break;
    }
    check(res, { 'no server error': (r) => r.status < 500 });
  });
  sleep(randomIntBetween(0, 1) / 10);
}

export function teardown() {
  console.log('done');
}
