/** Settings: one's own account, people and keys, and how this node is set up. What a role may not do is not there. */
import "./settings.css";
import type { ComponentType } from "react";
import { useMe } from "../../api/me";
import { useKeys } from "../../lib/keys";
import { useGo, useItem } from "../../lib/route";
import { t } from "../../locale/rooms/settings";
import { ErrorBoundary } from "../../widgets/boundary";
import { Go } from "../../widgets/go";
import { Empty } from "../../widgets/views";
import { Factors } from "./factors";
import { Keys } from "./keys";
import { Logins } from "./logins";
import { About, Configuration, Data, Integrations } from "./node";
import { Password } from "./password";
import { Preferences } from "./prefs";
import { Roles } from "./roles";
import { Users } from "./users";

function Account() {
  return (
    <>
      <Password />
      <Factors />
    </>
  );
}

type Name =
  | "account"
  | "logins"
  | "preferences"
  | "users"
  | "roles"
  | "keys"
  | "integrations"
  | "data"
  | "configuration"
  | "about";

interface Section {
  name: Name;
  group: "you" | "people" | "node";
  needs?: string;
  /** About the account of a person; keys have none. */
  person?: boolean;
  Body: ComponentType;
}

const SECTIONS: readonly Section[] = [
  { name: "account", group: "you", person: true, Body: Account },
  { name: "logins", group: "you", person: true, Body: Logins },
  { name: "preferences", group: "you", Body: Preferences },
  { name: "users", group: "people", needs: "users", Body: Users },
  { name: "roles", group: "people", needs: "users", Body: Roles },
  { name: "keys", group: "people", needs: "keys", Body: Keys },
  { name: "integrations", group: "node", needs: "read", Body: Integrations },
  { name: "data", group: "node", needs: "read", Body: Data },
  { name: "configuration", group: "node", needs: "settings", Body: Configuration },
  { name: "about", group: "node", needs: "read", Body: About },
];

export default function Room() {
  const me = useMe();
  const item = useItem();
  const go = useGo();
  const there = SECTIONS.filter(
    (section) =>
      (!section.needs || (me?.permissions.includes(section.needs) ?? false)) &&
      (!section.person || me?.kind === "user"),
  );
  const at = Math.max(
    0,
    there.findIndex((section) => section.name === item),
  );
  const chosen = item === undefined ? there[0] : there.find((section) => section.name === item);
  const step = (by: number) => {
    const next = there[(at + by + there.length) % there.length];
    if (next) go(`/settings/${next.name}`);
  };
  useKeys([
    { id: "tab.before", keys: "[", label: `${t("nav.label")} ←`, run: () => step(-1) },
    { id: "tab.after", keys: "]", label: `${t("nav.label")} →`, run: () => step(1) },
  ]);
  const groups = [...new Set(there.map((section) => section.group))];
  return (
    <div className="settings">
      <nav className="settings-nav" aria-label={t("nav.label")}>
        {groups.map((group) => (
          <div key={group} className="settings-nav-group">
            <h3>{t(`group.${group}`)}</h3>
            {there
              .filter((section) => section.group === group)
              .map((section) => (
                <Go
                  key={section.name}
                  path={`/settings/${section.name}`}
                  className={section === chosen ? "settings-nav-item settings-nav-on" : "settings-nav-item"}
                >
                  {t(`nav.${section.name}`)}
                </Go>
              ))}
          </div>
        ))}
      </nav>
      <label className="settings-nav-narrow">
        <span className="input-label">{t("nav.choose")}</span>
        <select
          className="input"
          value={chosen?.name ?? ""}
          onChange={(event) => go(`/settings/${event.target.value}`)}
        >
          {there.map((section) => (
            <option key={section.name} value={section.name}>
              {t(`nav.${section.name}`)}
            </option>
          ))}
        </select>
      </label>
      <div className="settings-body" data-keys="detail" tabIndex={0}>
        {chosen ? (
          <ErrorBoundary key={chosen.name}>
            <chosen.Body />
          </ErrorBoundary>
        ) : (
          <Empty title={t("no.account")} />
        )}
      </div>
    </div>
  );
}
