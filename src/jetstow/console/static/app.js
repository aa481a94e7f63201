// @ts-check
/** The shell: session, navigation, theme, help, and the pages by path. */
import {html, render, useEffect, useState} from "./vendor/preact.js";
import {loadSession, session, signOut} from "./api.js";
import {BucketsPage} from "./buckets.js";
import {flushDeletes} from "./deletes.js";
import {visible} from "./format.js";
import {FolderPage} from "./folder.js";
import {helpOpen, KeyHelp, useKeys} from "./keys.js";
import {ObjectDialogs} from "./object_actions.js";
import {lazy, leaveFor, Link, navigate, paths, ROOT, route, Router, usePath} from "./router.js";
import {SignIn} from "./signin.js";
import {useStore} from "./store.js";
import {TransferDialogs} from "./transfer.js";
import {Button, Empty, ErrorBox, Spinner, Toasts, useTitle} from "./ui.js";
import {UploadTray} from "./uploads.js";

route("", BucketsPage);
route("b/:bucket", FolderPage);
route("b/:bucket/settings", lazy(() => import("./settings_page.js"), "SettingsPage"));
route("o/:bucket", lazy(() => import("./object_page.js"), "ObjectPage"));
route("admin/:tab", lazy(() => import("./admin_page.js"), "AdminPage"));

const THEMES = ["system", "light", "dark"];

function useTheme() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "system");
  /** @param {string} next */
  const change = (next) => {
    setTheme(next);
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("jetstow-theme", next);
    } catch {
      // Storage may be turned off: the choice ends with the page.
    }
  };
  return {theme, cycle: () => change(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length])};
}

function NotFound() {
  useTitle("Not found");
  return html`<div class="page"><${Empty} page title="There is no page at this address">
    <p><${Link} href=${paths.buckets()}>Show all buckets<//></p>
  <//></div>`;
}

/** @param {{user: import("./api.js").Session, onSignOut: () => void}} props */
function Shell({user, onSignOut}) {
  const {theme, cycle} = useTheme();
  const path = usePath();
  const here = path.split("?")[0];
  const links = [
    {label: "Buckets", href: paths.buckets(), current: here === ROOT || /^\/_console\/[bo]\//.test(here)},
    user.admin && {label: "Keys", href: paths.admin("keys"), current: here === paths.admin("keys")},
    {label: "Health", href: paths.admin("health"), current: here === paths.admin("health")},
    user.admin && {label: "Activity", href: paths.admin("history"), current: here === paths.admin("history")},
  ].filter((link) => link !== false);
  useKeys([
    {keys: "?", label: "Show this help", run: () => helpOpen.set(true)},
    {keys: "g b", label: "Go to the buckets", run: () => navigate(paths.buckets())},
    {keys: "g h", label: "Go to health", run: () => navigate(paths.admin("health"))},
  ]);
  const name = visible(user.name || user.user || user.access_key);
  return html`<header class="top">
      <${Link} class="brand" href=${paths.buckets()} aria-label="jetstow"><img src="/_console/static/icon.svg" width="24" height="24" alt="" /><span>jetstow</span><//>
      <nav class="main-nav" aria-label="Main">
        ${links.map((link) => html`<${Link} key=${link.label} href=${link.href} aria-current=${link.current ? "page" : undefined}>${link.label}<//>`)}
      </nav>
      <div class="top-end">
        ${user.allow === "read" && html`<span class="badge" title="This key may not change anything">Read only</span>`}
        <span class="who muted" title=${`Signed in as ${name} (${visible(user.access_key)})`}>${name}</span>
        <${Button} kind="quiet" class="help" icon="help" label="Help" title="Keyboard shortcuts (?)" onClick=${() => helpOpen.set(true)} />
        <${Button} kind="quiet" icon="theme" label="Theme" title=${`Theme: ${theme}`} onClick=${cycle} />
        <${Button} kind="quiet" class="sign-out" icon="signout" aria-label="Sign out" title="Sign out" onClick=${onSignOut}><span class="wide-label">Sign out</span><//>
      </div>
    </header>
    <main class="main" id="main"><${Router} NotFound=${NotFound} /></main>`;
}

function App() {
  const user = useStore(session);
  const [failure, setFailure] = useState(/** @type {any} */ (null));
  const [seen, setSeen] = useState(false);
  const load = () => {
    setFailure(null);
    loadSession().catch(setFailure);
  };
  useEffect(load, []);
  useEffect(() => {
    if (user) setSeen(true);
  }, [user]);
  if (user === undefined) {
    return html`<main class="sign-in">${failure ? html`<${ErrorBox} error=${failure} onRetry=${load} />` : html`<${Spinner} label="Loading" />`}</main>`;
  }
  if (!user) return html`<${SignIn} expired=${seen} />`;
  const leave = async () => {
    await flushDeletes();
    setSeen(false);
    await signOut();
    navigate(paths.buckets());  // another key may not see this page
  };
  return html`<${Shell} user=${user} onSignOut=${() => leaveFor(paths.buckets(), leave)} /><${UploadTray} /><${ObjectDialogs} /><${TransferDialogs} /><${KeyHelp} /><${Toasts} />`;
}

render(html`<${App} />`, /** @type {Element} */ (document.getElementById("app")));
