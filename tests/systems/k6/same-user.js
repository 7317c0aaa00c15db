import http from "k6/http";
import { check } from "k6";

// One user presses the button many times at once: exactly one may be issued.
export let options = {
  scenarios: {
    same_user: {
      executor: "per-vu-iterations",
      vus: 10,
      iterations: 5,
      maxDuration: "30s",
    },
  },
};

export default function () {
  const res = http.post(
    "http://localhost:8080/coupons/1/issue",
    JSON.stringify({ memberId: 42 }),
    { headers: { "Content-Type": "application/json" } },
  );
  check(res, {
    "발급 성공": (r) => r.status === 200,
    "이미 발급됨": (r) => r.status === 409,
  });
}
