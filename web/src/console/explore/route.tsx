import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { folderId } from "../../explorer/kind";
import { Explorer } from "../../explorer/page";

// The explorer as a page of the console.
export default function Route() {
  const { session } = useParams({ from: "/explore/$session" });
  const { at = 0, container, item, deleted } = useSearch({ from: "/explore/$session" });
  const navigate = useNavigate();
  return (
    <Explorer
      session={session}
      at={at}
      {...(container ? { begin: { container, ...(item ? { item } : {}) } } : {})}
      deleted={deleted !== undefined}
      onSession={(next, place, only) => void navigate({
        to: "/explore/$session", params: { session: next },
        search: { ...(place ? { container: place.container.id, ...(place.folder ? { item: folderId(place.folder) } : {}) } : {}), ...(only ? { deleted: "yes" } : {}) },
      })}
      onAt={(next) => void navigate({ to: "/explore/$session", params: { session }, search: { at: next } })}
      again="#/explore"
      onClosed={() => void navigate({ to: "/explore" })}
    />
  );
}
