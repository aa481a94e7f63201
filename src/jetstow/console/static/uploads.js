// @ts-check
// The uploads as the rest of the page uses them: buttons, drop zones, the tray.
import {html, useRef} from "./vendor/preact.js";
import {Button} from "./ui.js";
import {chosenEntries} from "./upload_drop.js";
import {uploads} from "./upload_queue.js";

export {useDrop} from "./upload_drop.js";
export {UploadTray} from "./upload_tray.js";
export {uploads};

/**
 * Buttons that upload files or a folder below a prefix.
 * @param {{bucket: string, prefix: string}} props
 */
export function UploadMenu({bucket, prefix}) {
  return html`<${PickerButton} text="Upload files" bucket=${bucket} prefix=${prefix} isFolder=${false} />
    <${PickerButton} text="Upload folder" bucket=${bucket} prefix=${prefix} isFolder=${true} />`;
}

/** @param {{text: string, bucket: string, prefix: string, isFolder: boolean}} props */
function PickerButton({text, bucket, prefix, isFolder}) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  // The button may be gone when files are chosen: an empty folder that gets an object has it elsewhere.
  const choose = (/** @type {any} */ {target}) => {
    void uploads.add(bucket, chosenEntries(target.files), prefix);
    target.value = ""; // so that the same files can be chosen again
  };
  return html`<${Button} icon=${isFolder ? "folder" : "upload"} onClick=${() => input.current?.click()}>${text}<//>
    <input class="visually-hidden" tabindex="-1" aria-hidden="true" type="file" multiple=${!isFolder}
      webkitdirectory=${isFolder} ref=${input} onChange=${choose} />`;
}
