/** Attackers: the sources alerts are about, and what is known of each. */
import { useItem } from "../../lib/route";
import { AttackerList } from "./list";
import { AttackerProfile } from "./profile";
import "./attackers.css";

export default function Room() {
  const item = useItem();
  return (
    <div className="attackers">
      <div className="attackers-list" hidden={item !== undefined}>
        <AttackerList shown={item === undefined} />
      </div>
      {item === undefined ? null : <AttackerProfile key={item} id={item} />}
    </div>
  );
}
