import { heard, now } from "./time.js";

// Who is signed in on this page, with tokens renewed before they end. Kept for this tab only.
const KEY = "somos-session";
let current = JSON.parse(sessionStorage.getItem(KEY) || "null");
let renewing = null;
const watchers = new Set();

export const session = () => current;
export const watch = (told) => { watchers.add(told); told(current); };

function become(next) {
  current = next;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  plan();
  watchers.forEach((told) => told(current));
}

const endOf = (token) => JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).exp * 1000;

function plan() {
  clearTimeout(renewing);
  if (current) renewing = setTimeout(renew, Math.max(1000, endOf(current.token) - now() - 60_000));
}

async function post(path, body) {
  const answer = heard(await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }));
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail || `Resposta ${answer.status}`);
  return content;
}

export async function signIn(email, password) {
  const given = await post("/api/v1/auth/login", { email, password });
  const me = await call("GET", "/api/v1/auth/me", { token: given.access_token });
  become({ token: given.access_token, refresh: given.refresh_token, email, ...me.body });
}

async function renew() {
  try {
    const given = await post("/api/v1/auth/refresh", { refresh_token: current.refresh });
    become({ ...current, token: given.access_token, refresh: given.refresh_token });
  } catch { become(null); }
}

export function signOut() {
  if (current) post("/api/v1/auth/logout", { refresh_token: current.refresh }).catch(() => {});
  become(null);
}

// One request as whoever is signed in: {status, body, ms}.
export async function call(method, path, { body, token = current?.token } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  const begun = performance.now();
  const answer = heard(await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
  const text = await answer.text();
  const ms = performance.now() - begun;
  let content = text;
  try { content = text ? JSON.parse(text) : null; } catch { /* not JSON: shown as it is */ }
  if (answer.status === 401 && token && token === current?.token) become(null);
  return { status: answer.status, ok: answer.ok, body: content, ms };
}

async function resume() {
  heard(await fetch("/", { method: "HEAD" }));
  if (endOf(current.token) < now()) renew(); else plan();
}

if (current) resume().catch(() => {});  // without an answer nobody knows the time; the next request tells
