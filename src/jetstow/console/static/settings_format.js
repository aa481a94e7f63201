// @ts-check
/** Documents of settings as people read them, and their syntax errors. */

/**
 * Indent a document. One that is not valid is returned as it is, one without content as an empty string.
 * @param {string} text @param {"xml"|"json"} kind
 */
export function formatDocument(text, kind) {
  if (kind === "json") {
    try {
      return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
    } catch {
      return text;
    }
  }
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  if (parsed.querySelector("parsererror")) return text;
  if (!parsed.documentElement.children.length) return "";
  return `${indented(parsed.documentElement, "").join("\n")}\n`;
}

/** The lines of an element. Documents of S3 have no attributes but namespaces. @param {Element} element @param {string} indent @returns {string[]} */
function indented(element, indent) {
  const name = element.localName;
  if (!element.children.length) {
    const text = new XMLSerializer().serializeToString(document.createTextNode(element.textContent ?? ""));
    return [text ? `${indent}<${name}>${text}</${name}>` : `${indent}<${name}/>`];
  }
  const children = [...element.children].flatMap((child) => indented(child, `${indent}  `));
  return [`${indent}<${name}>`, ...children, `${indent}</${name}>`];
}

/**
 * What is wrong with the syntax of a document, with the place; empty if nothing is.
 * @param {string} text @param {"xml"|"json"} kind
 */
export function syntaxError(text, kind) {
  if (kind === "json") {
    try {
      JSON.parse(text);
      return "";
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
  }
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  const error = parsed.querySelector("parsererror");
  if (!error) return "";
  const detail = error.querySelector("div")?.textContent?.trim() ?? error.textContent?.trim() ?? "";
  return detail || "The document is not well-formed XML.";
}
