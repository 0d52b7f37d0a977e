// Everything that is asked of the server. Each answer comes with the command that does the same.

export const scope = {
  get account() { return localStorage.getItem("account") || "000000000000"; },
  get region() { return localStorage.getItem("region") || "us-east-1"; },
  set(account, region) { localStorage.setItem("account", account); localStorage.setItem("region", region); },
  get query() { return `account=${encodeURIComponent(this.account)}&region=${encodeURIComponent(this.region)}`; },
};

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

export async function post(path, body) {
  let response;
  try {
    response = await fetch(`/_pitbird/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Pitbird-Console": "1" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, "Away", "the server doesn't answer");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401) document.dispatchEvent(new Event("sign-in"));
  throw new Refused(response.status, answer.error?.code ?? "Error", answer.error?.message ?? response.statusText);
}

const scoped = (input) => ({ account: scope.account, region: scope.region, input });
// The output and the command.
export const asked = (service, operation, input = {}) => post(`call/${service}/${operation}`, scoped(input));
export const call = async (service, operation, input = {}) => (await asked(service, operation, input)).output;
export const command = async (service, operation, input = {}) => (await post(`command/${service}/${operation}`, scoped(input))).command;
