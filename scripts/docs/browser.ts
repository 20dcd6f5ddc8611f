// Runs in the page. Without it everything can be read; it adds the copy buttons and the forms.

for (const button of document.querySelectorAll<HTMLButtonElement>("button.copy")) {
  button.addEventListener("click", async () => {
    const code = button.closest("figure")?.querySelector("code")?.textContent ?? "";
    await navigator.clipboard.writeText(code);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

interface Emulator {
  url: string;
  values: { client_id: string; client_secret: string };
}

const emulator = document.body.dataset["emulator"];
if (emulator !== undefined) {
  for (const form of document.querySelectorAll<HTMLFormElement>("form.try"))
    enable(form, JSON.parse(emulator) as Emulator);
}

function enable(form: HTMLFormElement, { url, values }: Emulator): void {
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement | null;
  const output = form.querySelector("output") as HTMLOutputElement;
  const button = form.querySelector("button") as HTMLButtonElement;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    output.replaceChildren();
    try {
      const headers = new Headers();
      const token = field("token");
      if (token) {
        token.value ||= await bankToken();
        headers.set("authorization", `Bearer ${token.value}`);
      }
      const body = field("body")?.value;
      if (body !== undefined) headers.set("content-type", "application/json");
      const request: RequestInit = { method: form.dataset["method"] ?? "GET", headers };
      if (body !== undefined) request.body = body;
      await show(await fetch(`${url}${field("path")?.value ?? ""}`, request));
    } catch (error) {
      output.replaceChildren(element("p", String(error), "bad"));
    }
    button.disabled = false;
  });

  async function bankToken(): Promise<string> {
    const response = await fetch(`${url}/oauth/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        grant_type: "client_credentials",
        client_id: values.client_id,
        client_secret: values.client_secret,
      }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  async function show(response: Response): Promise<void> {
    const text = await response.text();
    const answer = parse(text);
    const status = element("span", String(response.status), `status ${response.ok ? "good" : "bad"}`);
    const line = element("p", "");
    line.append(status, ` ${response.statusText}`);
    output.replaceChildren(line, pre(answer === undefined ? text : JSON.stringify(answer, undefined, 2), "Answer"));
    const jwt = (answer as { access_token?: unknown } | undefined)?.access_token;
    const claims = typeof jwt === "string" ? claimsOf(jwt) : undefined;
    if (claims !== undefined) output.append(element("p", "Claims of the token"), pre(claims, "Claims"));
  }
}

function claimsOf(jwt: string): string | undefined {
  const [, payload = ""] = jwt.split(".");
  try {
    return JSON.stringify(JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))), undefined, 2);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function pre(text: string, label: string): HTMLElement {
  const block = element("pre", text);
  block.tabIndex = 0;
  block.ariaLabel = label;
  return block;
}

function element(name: string, text: string, className = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}
