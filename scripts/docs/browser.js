for (const button of document.querySelectorAll(".code button"))
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // If the page may not write to the clipboard, its reader can.
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  });

for (const form of document.forms)
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("output");
    output.textContent = "…";
    output.textContent = await send(form).catch(String);
  });

/** Sends the content of a form. Its fields are named after the place that they go to, and their name there. */
async function send(form) {
  let { url } = form.dataset;
  const query = new URLSearchParams();
  const headers = new Headers({ accept: "application/json" });
  let body;
  for (const [field, value] of new FormData(form)) {
    const [place, name] = field.split(" ");
    if (value === "") continue;
    if (place === "token") headers.set("authorization", `Bearer ${value}`);
    if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
    if (place === "query") query.append(name, value);
    if (place === "header") headers.set(name, value);
    if (place !== "body") continue;
    headers.set("content-type", name);
    body = value;
  }
  const target = query.size > 0 ? `${url}?${query}` : url;
  const response = await fetch(target, { method: form.dataset.method, headers, body, cache: "no-store" });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return `${response.status} ${response.statusText}\n\n${isJson ? JSON.stringify(JSON.parse(text), undefined, 2) : text}`;
}
