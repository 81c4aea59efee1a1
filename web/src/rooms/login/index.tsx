/** The page to sign in on, and where one-time links lead. */
import "./login.css";
import { useEffect, useState } from "react";
import { useMe } from "../../api/me";
import { useGo, useQueryState } from "../../lib/route";
import { safe } from "../../lib/safe";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/login";
import { Icon } from "../../widgets/icons";
import SignIn from "./form";

/** A way inside the console, and never out of it. */
export const inside = (to: string | undefined): string =>
  to && /^\/(?![/\\])/.test(to) && !to.startsWith("/login") ? to : "/";

export default function Room() {
  const go = useGo();
  const me = useMe();
  const [query] = useQueryState();
  // The code of a one-time link stands behind the #, which no server and no log sees; it leaves the address at once.
  const [link] = useState(() => {
    const code = location.pathname.startsWith("/first-run") ? location.hash.slice(1) : undefined;
    if (code) history.replaceState(null, "", "/first-run");
    return code;
  });
  const onIn = () => {
    const to = new URL(inside(query.to), location.origin);
    go(to.pathname, Object.fromEntries(to.searchParams), true);
  };
  // Who is in already has nothing to do here, unless they came with a link.
  const finished = me !== null && !me.enrol && !me.must_change_password && link === undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once is enough
  useEffect(() => {
    if (finished) onIn();
  }, [finished]);
  return (
    <main className="login" id="main">
      <h1 className="login-head">
        <Icon name="tokens" size={24} />
        {shell("product")}
      </h1>
      <div className="login-box">
        {query.problem ? (
          <p className="field-error" role="alert">
            {t("problem.oidc", { code: safe(query.problem).slice(0, 40) })}
          </p>
        ) : null}
        <SignIn onIn={onIn} link={link} begin={me} />
      </div>
    </main>
  );
}
