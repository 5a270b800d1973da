// Puts a button that copies it on every piece of code marked for that, and says when it has.

for (const code of document.querySelectorAll(".copied")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(code.querySelector("code").textContent, button));
  code.append(button);
}

/** Copies a text and says so on the button for a while. */
export async function copy(text, button) {
  const name = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = name), 1500);
}
