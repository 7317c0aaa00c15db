import http from 'k6/http';

export default function () {
  const res = http.post('http://localhost:8080/issue', JSON.stringify({ userId: __VU });
}
