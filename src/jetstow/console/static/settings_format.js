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
 * What is wrong with the syntax of a document, with the place; empty if nothing is. The gateway checks the
 * rest. `DOMParser` would violate the page's Content-Security-Policy: its errors are elements with styles.
 * @param {string} text @param {"xml"|"json"} kind
 */
export function syntaxError(text, kind) {
  if (kind === "xml") return tagError(text);
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** Tags that are not closed, or closed in another order. @param {string} text */
function tagError(text) {
  /** @type {{name: string, line: number}[]} */
  const open = [];
  for (const match of text.matchAll(/<!--[^]*?-->|<\?[^]*?\?>|<(\/?)([\w:.-]+)[^<>]*?(\/?)>|</g)) {
    const [token, closes, name, isEmpty] = match;
    const line = text.slice(0, match.index).split("\n").length;
    if (token === "<") return `Line ${line}: a tag is not complete.`;
    if (name === undefined || isEmpty) continue;
    if (!closes) open.push({name, line});
    else {
      const last = open.pop();
      if (!last) return `Line ${line}: </${name}> closes nothing.`;
      if (last.name !== name) return `Line ${line}: </${name}> comes before <${last.name}> of line ${last.line} is closed.`;
    }
  }
  const last = open.pop();
  return last ? `Line ${last.line}: <${last.name}> is not closed.` : "";
}
