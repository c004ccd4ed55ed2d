// What time it is by the server, whose times the page shows: its last answer said so, and the page counts from there.
let said = Number.NaN;
let at = 0;

export function heard(answer) {
  const date = Date.parse(answer.headers.get("Date"));
  if (!Number.isNaN(date)) [said, at] = [date, performance.now()];
  return answer;
}

export const now = () => said + performance.now() - at;
