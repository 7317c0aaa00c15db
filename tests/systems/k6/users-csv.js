import http from 'k6/http';
import exec from 'k6/execution';
import papaparse from 'https://jslib.k6.io/papaparse/5.1.1/index.js';
import { SharedArray } from 'k6/data';
import { check, sleep } from 'k6';

const members = new SharedArray('members', function () {
  return papaparse.parse(open('./members.csv'), { header: true }).data;
});

export const options = {
  scenarios: {
    opening: { executor: 'shared-iterations', vus: 4, iterations: 12, maxDuration: '30s' },
  },
};

export default function () {
  const member = members[exec.scenario.iterationInTest % members.length];
  const res = http.post('http://localhost:8080/issue', JSON.stringify({ memberId: member.memberId }), {
    headers: { Authorization: `Bearer ${member.accessToken}`, 'Content-Type': 'application/json' },
  });
  check(res, { issued: (r) => r.status === 201 });
  sleep(0.01);
}
