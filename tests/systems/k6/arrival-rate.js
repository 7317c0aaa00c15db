import http from 'k6/http';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';

const soldOut = new Counter('coupon_sold_out');
const issued = new Counter('coupon_issued');
const other = new Counter('coupon_other');
const RATE = Number(__ENV.RATE || '40');
const EVENT = 'spring';

function params(userId) {
  return {
    headers: { 'Content-Type': 'application/json', 'X-User-Id': userId.toString() },
    tags: { name: 'claim' },
  };
}

function claim(userId) {
  const url = `http://localhost:8080/events/${EVENT}/claims?channel=app`;
  return http.post(url, JSON.stringify({ channel: 'app', quantity: 1 }), params(userId));
}

export const options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: '2s',
      preAllocatedVUs: 10,
      maxVUs: Math.max(20, RATE),
      exec: 'buy',
    },
  },
  thresholds: {
    'http_req_duration{scenario:steady}': [
      'p(95)<5000',
      { threshold: 'p(99)<9000', abortOnFail: true, delayAbortEval: '10s' },
    ],
    http_req_failed: ['rate<0.05'],
    dropped_iterations: ['count<10'],
    coupon_other: ['count==0'],
  },
};

export function buy() {
  const userId = exec.scenario.iterationInTest + 1;
  const res = claim(userId);
  if (res.status === 200 && res.json('status') === 'ISSUED') {
    issued.add(1);
  } else if (res.status === 200 && res.json('status') === 'SOLD_OUT') {
    soldOut.add(1);
  } else {
    other.add(1);
  }
}
