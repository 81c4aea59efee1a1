/** All keys that are in force here, and the way to change them. */
import { useState, useSyncExternalStore } from "react";
import { type Binding, keymap, keyName } from "../lib/keys";
import { prefer, usePreferences } from "../lib/preferences";
import { t } from "../locale/en";
import { Button } from "../widgets/button";
import { Dialog } from "../widgets/dialog";
import { Check } from "../widgets/field";
import { Kbd } from "../widgets/kbd";
import { overlay } from "./frame";

let listed: Binding[] = [];
const read = () => {
  const now = keymap.list();
  if (now.length !== listed.length || now.some((binding, at) => binding.id !== listed[at]?.id)) listed = now;
  return listed;
};

export default function KeySheet() {
  const all = useSyncExternalStore(keymap.watch, read, read);
  const { keys } = usePreferences();
  const [changing, setChanging] = useState<string | null>(null);
  const groups = new Map<string, Binding[]>();
  for (const binding of all) {
    const name = binding.group ?? t("keys.general");
    groups.set(name, [...(groups.get(name) ?? []), binding]);
  }
  return (
    <Dialog
      open
      size="large"
      title={t("keys.title")}
      onClose={() => overlay.set("none")}
      foot={
        <>
          <Button onClick={() => prefer({ keys: { on: true, map: {} } })}>{t("keys.reset")}</Button>
          <Button kind="primary" onClick={() => overlay.set("none")}>
            {t("close")}
          </Button>
        </>
      }
    >
      <div className="col">
        <p className="muted">{t("keys.text")}</p>
        <Check
          label={t("view.keys")}
          checked={keys.on}
          onChange={(event) => prefer({ keys: { ...keys, on: event.target.checked } })}
        />
        <div className="sheet">
          {[...groups].map(([name, bindings]) => (
            <section key={name} className="sheet-group">
              <h3>{name}</h3>
              {bindings.map((binding) => (
                <div key={binding.id} className="sheet-row">
                  <span className="grow">{binding.label}</span>
                  {changing === binding.id ? (
                    <input
                      className="input"
                      autoFocus
                      size={10}
                      readOnly
                      placeholder={t("keys.press")}
                      aria-label={t("keys.press")}
                      onBlur={() => setChanging(null)}
                      onKeyDown={(event) => {
                        if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
                        event.preventDefault();
                        event.stopPropagation();
                        if (event.key !== "Escape") {
                          prefer({ keys: { ...keys, map: { ...keys.map, [binding.id]: keyName(event.nativeEvent) } } });
                        }
                        setChanging(null);
                      }}
                    />
                  ) : (
                    <>
                      {keymap.keysOf(binding).map((key) => (
                        <Kbd key={key} keys={key} />
                      ))}
                      <Button
                        kind="quiet"
                        onClick={() => setChanging(binding.id)}
                        aria-label={`${t("keys.change")}: ${binding.label}`}
                      >
                        {t("keys.change")}
                      </Button>
                    </>
                  )}
                </div>
              ))}
            </section>
          ))}
        </div>
      </div>
    </Dialog>
  );
}
