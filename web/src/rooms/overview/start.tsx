/** What a newcomer sees before anybody has come: what runs, and how to see something. */
import { Children, type ReactNode } from "react";
import { t } from "../../locale/rooms/overview";
import { CopyButton } from "../../widgets/copy";

function Command({ text }: { text: string }) {
  return (
    <span className="overview-command">
      <code>{text}</code>
      <CopyButton text={text} what={text} />
    </span>
  );
}

export function Start({ children, loading }: { children: ReactNode; loading: boolean }) {
  return (
    <section className="overview-start" aria-labelledby="overview-start">
      <h2 id="overview-start">{t("start.title")}</h2>
      <p>{t("start.text")}</p>
      <ol>
        <li>
          {t("start.demo")}
          <Command text={t("start.demo.command")} />
        </li>
        <li>
          {t("start.feed")}
          <Command text={t("start.feed.command")} />
        </li>
        <li>{t("start.wait")}</li>
      </ol>
      <h3>{t("start.listening")}</h3>
      {Children.count(children) > 0 ? (
        <ul>{children}</ul>
      ) : loading ? null : (
        <p className="muted">{t("start.nolisten")}</p>
      )}
    </section>
  );
}
