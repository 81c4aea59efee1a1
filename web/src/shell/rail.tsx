/** The rail of rooms; on a narrow page it is a menu. */
import { Link } from "@tanstack/react-router";
import { useMe } from "../api/me";
import { t } from "../locale/en";
import { Icon } from "../widgets/icons";
import { ROOMS } from "./rooms";

export function Rail({ current }: { current: string | undefined }) {
  const me = useMe();
  return (
    <nav className="rail" aria-label={t("nav.label")}>
      {ROOMS.filter((room) => !room.needs || me?.permissions.includes(room.needs)).map((room) => (
        <Link
          key={room.name}
          to={room.path}
          search={{} as never}
          className="rail-link"
          title={room.go ? `${t(`nav.${room.name}`)} (g ${room.go})` : t(`nav.${room.name}`)}
          aria-current={room.name === current ? "page" : undefined}
        >
          <Icon name={room.name} size={18} />
          <span className="rail-name">{t(`nav.${room.name}`)}</span>
        </Link>
      ))}
    </nav>
  );
}
