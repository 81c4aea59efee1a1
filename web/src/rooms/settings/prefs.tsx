/** What a person chose about the console: looks, times, keys. Changes hold at once and follow the account. */
import { useState } from "react";
import { type Binding, keymap, keyName } from "../../lib/keys";
import { prefer, usePreferences } from "../../lib/preferences";
import { absolute, serverNow } from "../../lib/time";
import { t } from "../../locale/rooms/settings";
import { Button } from "../../widgets/button";
import { Check } from "../../widgets/field";
import { Kbd } from "../../widgets/kbd";
import { done } from "../../widgets/toast";
import { Part } from "./part";

function Choice<V extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: V;
  options: readonly { value: V; label: string }[];
  onChange: (value: V) => void;
}) {
  return (
    <fieldset className="settings-choice">
      <legend className="input-label">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className="check">
          <input type="radio" name={label} checked={value === option.value} onChange={() => onChange(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Preferences() {
  const own = usePreferences();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <>
      <Part title={t("prefs.title")} text={t("prefs.text")}>
        <div className="settings-choices">
          <Choice
            label={t("prefs.theme")}
            value={own.theme}
            onChange={(theme) => prefer({ theme })}
            options={[
              { value: "system", label: t("prefs.system") },
              { value: "dark", label: t("prefs.dark") },
              { value: "light", label: t("prefs.light") },
            ]}
          />
          <Choice
            label={t("prefs.contrast")}
            value={own.contrast}
            onChange={(contrast) => prefer({ contrast })}
            options={[
              { value: "system", label: t("prefs.system") },
              { value: "more", label: t("prefs.more") },
            ]}
          />
          <Choice
            label={t("prefs.density")}
            value={own.density}
            onChange={(density) => prefer({ density })}
            options={[
              { value: "compact", label: t("prefs.compact") },
              { value: "cosy", label: t("prefs.cosy") },
            ]}
          />
          <Choice
            label={t("prefs.zone")}
            value={own.zone}
            onChange={(zone) => prefer({ zone })}
            options={[
              { value: "local", label: t("prefs.local", { zone }) },
              { value: "utc", label: t("prefs.utc") },
            ]}
          />
        </div>
        <p className="meta">{t("prefs.now", { time: absolute(serverNow()) })}</p>
      </Part>
      <Keys />
      <Part
        title={t("rooms.title")}
        text={t("rooms.text")}
        acts={
          <Button
            disabled={Object.keys(own.rooms).length === 0}
            onClick={() => {
              const before = own.rooms;
              prefer({ rooms: {} });
              done(t("rooms.forgotten"), () => prefer({ rooms: before }));
            }}
          >
            {t("rooms.forget")}
          </Button>
        }
      >
        {null}
      </Part>
    </>
  );
}

function Keys() {
  const { keys } = usePreferences();
  const [changing, setChanging] = useState<string | null>(null);
  const here = keymap.list();
  const changed = Object.entries(keys.map).filter(([id]) => !here.some((binding) => binding.id === id));
  const put = (id: string, key: string | undefined) => {
    const map = { ...keys.map };
    if (key === undefined) delete map[id];
    else map[id] = key;
    prefer({ keys: { ...keys, map } });
  };
  return (
    <Part
      title={t("keys.title")}
      acts={
        <Button disabled={Object.keys(keys.map).length === 0} onClick={() => prefer({ keys: { ...keys, map: {} } })}>
          {t("keys.all")}
        </Button>
      }
    >
      <Check
        label={t("keys.on")}
        checked={keys.on}
        onChange={(event) => prefer({ keys: { ...keys, on: event.target.checked } })}
      />
      <p className="muted">{Object.keys(keys.map).length === 0 ? t("keys.none") : t("keys.text")}</p>
      <ul className="settings-keys">
        {changed.map(([id, key]) => (
          <li key={id} className="settings-line">
            <span className="grow mono">{id}</span>
            <Kbd keys={key} />
            <Button kind="quiet" onClick={() => put(id, undefined)}>
              {t("keys.back")}
            </Button>
          </li>
        ))}
      </ul>
      <h3>{t("keys.here")}</h3>
      <ul className="settings-keys">
        {here.map((binding: Binding) => (
          <li key={binding.id} className="settings-line">
            <span className="grow">{binding.label}</span>
            {changing === binding.id ? (
              <input
                className="input"
                // biome-ignore lint/a11y/noAutofocus: somebody just asked to press a key here
                autoFocus
                readOnly
                size={10}
                placeholder={t("keys.press")}
                aria-label={t("keys.press")}
                onBlur={() => setChanging(null)}
                onKeyDown={(event) => {
                  if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
                  event.preventDefault();
                  event.stopPropagation();
                  if (event.key !== "Escape") put(binding.id, keyName(event.nativeEvent));
                  setChanging(null);
                }}
              />
            ) : (
              <>
                {keymap.keysOf(binding).map((key) => (
                  <Kbd key={key} keys={key} />
                ))}
                {keys.map[binding.id] ? (
                  <Button kind="quiet" onClick={() => put(binding.id, undefined)}>
                    {t("keys.back")}
                  </Button>
                ) : null}
                <Button
                  kind="quiet"
                  aria-label={`${t("keys.change")}: ${binding.label}`}
                  onClick={() => setChanging(binding.id)}
                >
                  {t("keys.change")}
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
    </Part>
  );
}
