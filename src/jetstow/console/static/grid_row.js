// @ts-check
/** A row of the grid. */
import {Component, html} from "./vendor/preact.js";
import {baseName, middle, visible} from "./format.js";
import {Icon, Size, Time} from "./ui.js";

/**
 * @typedef {{index: number, row: import("./rows.js").Row|undefined, narrow: boolean, limit: number, active: boolean, selected: boolean,
 *   changed: boolean, deleting: boolean, href: string}} RowProps
 */

/** Rendered again only if a property changed: scrolling moves most rows without a change. */
export class GridRow extends Component {
  /** @param {any} next */
  shouldComponentUpdate(next) {
    const now = /** @type {any} */ (this.props);
    return Object.keys(next).some((name) => next[name] !== now[name]);
  }

  /** @param {RowProps} props */
  render({index, row, narrow, limit, active, selected, changed, deleting, href}) {
    if (!row) {
      return html`<div class="row is-loading" role="row" aria-rowindex=${index + 2}>
        <div role="gridcell" class="cell-check"></div><div role="gridcell" class="cell-name"><i class="bar"></i></div>
      </div>`;
    }
    const names = ["row", active && "is-active", selected && "is-selected", changed && "is-changed", deleting && "is-deleting"];
    const full = visible(row.label);
    const isObject = row.type !== "folder";
    const when = isObject ? html`<${Time} value=${row.modified} />` : null;
    return html`<div class=${names.filter(Boolean).join(" ")} role="row" id=${`row-${index}`} data-index=${index} aria-rowindex=${index + 2} aria-selected=${selected ? "true" : "false"}>
      <div role="gridcell" class="cell-check row-check"><input type="checkbox" tabIndex="-1" aria-label=${`Select ${full}`} checked=${selected} /></div>
      <div role="gridcell" class="cell-name">
        <${Icon} name=${iconOf(row)} filled=${!isObject} />
        <span class="row-name">
          ${deleting ? html`<s>${middle(full, limit)}</s> <span class="muted">Deleting</span>` : html`<a href=${href} tabIndex="-1" dir="ltr" title=${full}>${label(full, limit)}</a>`}
          ${narrow && isObject ? html`<span class="row-more muted"><${Size} value=${row.size} /> · ${when}</span>` : null}
        </span>
      </div>
      <div role="gridcell" class="cell-size">${isObject ? html`<${Size} value=${row.size} />` : null}</div>
      <div role="gridcell" class="cell-modified">${when}</div>
      <div role="gridcell" class="cell-menu"><button type="button" class="row-menu button button-quiet button-icon" tabIndex="-1" aria-haspopup="menu"
        aria-label=${`Actions for ${full}`}><${Icon} name="dots" /></button></div>
    </div>`;
  }
}

/** The text of the link: the folders of a deep search are muted, and cut first. @param {string} full @param {number} limit */
function label(full, limit) {
  const name = baseName(full);
  const folders = full.slice(0, full.length - name.length);
  if (!folders) return middle(full, limit);
  const shown = middle(name, limit - 8);
  return html`<span class="muted">${middle(folders, Math.max(8, limit - shown.length))}</span>${shown}`;
}

/** @param {import("./rows.js").Row} row */
function iconOf(row) {
  if (row.type === "folder") return "folder";
  if (row.type === "deleted") return "trash";
  return row.link ? "link" : "file";
}
