package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"holdfast/internal/holdfast"
)

type directoryObjectRow struct {
	bun.BaseModel `bun:"table:directory_objects,alias:t"`
	Organization  string `bun:",pk"`
	Kind          string `bun:",pk"`
	ID            string `bun:",pk"`
	NameKey       string
	DisplayKey    string
	Personal      bool
	Gone          stamp
	Round         int64
	Spec          string
}

func (r directoryObjectRow) noun() (holdfast.DirectoryObject, error) {
	var o holdfast.DirectoryObject
	if err := json.Unmarshal([]byte(r.Spec), &o); err != nil {
		return o, fmt.Errorf("decode %s %s of the directory: %w", r.Kind, r.ID, err)
	}
	o.Gone = r.Gone.time()
	return o, nil
}

// directoryChunk bounds how many rows one statement writes or names.
const directoryChunk = 500

func chunks[T any](all []T, fn func([]T) error) error {
	for len(all) > 0 {
		n := min(len(all), directoryChunk)
		if err := fn(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// DirectoryObjects gives objects by display name.
func (tx *Tx) DirectoryObjects(ctx context.Context, org holdfast.OrganizationID, f holdfast.DirectoryFilter, page holdfast.Page) ([]holdfast.DirectoryObject, error) {
	var rows []directoryObjectRow
	q := tx.db.NewSelect().Model(&rows).Where("organization = ? AND kind = ?", clean(string(org)), clean(string(f.Kind))).OrderExpr("display_key, id")
	if f.IDs != nil {
		if len(f.IDs) == 0 {
			return nil, nil
		}
		q = q.Where("id IN (?)", bun.In(f.IDs))
	}
	prefix := func(column, text string) {
		if text != "" {
			q = q.Where("substr(?, 1, ?) = ?", bun.Ident(column), len([]rune(text)), text)
		}
	}
	prefix("name_key", strings.ToLower(clean(f.Name)))
	prefix("display_key", strings.ToLower(clean(f.DisplayName)))
	if f.Below != "" {
		prefix("name_key", strings.TrimSuffix(strings.ToLower(clean(f.Below)), "/")+"/")
	}
	if f.Text != "" {
		anywhere := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(clean(f.Text))) + "%"
		q = q.Where("(name_key LIKE ? ESCAPE '!' OR display_key LIKE ? ESCAPE '!')", anywhere, anywhere)
	}
	if f.NoPersonal {
		q = q.Where("personal = ?", false)
	}
	if !f.Gone {
		q = q.Where("gone = 0")
	}
	return scan(ctx, paged(q, page), &rows, directoryObjectRow.noun)
}

// DirectoryObject gives one by its id or, in any case, name.
func (tx *Tx) DirectoryObject(ctx context.Context, org holdfast.OrganizationID, kind holdfast.DirectoryKind, id string) (holdfast.DirectoryObject, error) {
	r, err := one[directoryObjectRow](ctx, tx, fmt.Sprintf("%s %s in the directory", kind, id), "organization = ? AND kind = ? AND (id = ? OR name_key = ? AND gone = 0)", string(org), string(kind), id, strings.ToLower(id))
	if err != nil {
		return holdfast.DirectoryObject{}, err
	}
	return r.noun()
}

// PutDirectoryObjects keeps objects of one organization as seen in a round. What mailboxes are for stays where all does not say it.
func (tx *Tx) PutDirectoryObjects(ctx context.Context, round int64, all ...holdfast.DirectoryObject) error {
	purposes := map[string]string{}
	if err := chunks(all, func(part []holdfast.DirectoryObject) error { return tx.purposes(ctx, part, purposes) }); err != nil {
		return err
	}
	last := map[string]int{} // a statement must not write a row twice
	for i, o := range all {
		last[string(o.Kind)+"/"+o.ID] = i
	}
	var rows []directoryObjectRow
	for i, o := range all {
		if last[string(o.Kind)+"/"+o.ID] != i {
			continue
		}
		o.ID, o.Name, o.DisplayName = clean(o.ID), clean(o.Name), clean(o.DisplayName)
		if o.Kind == holdfast.DirectoryUser && o.Purpose == "" {
			o.Purpose = purposes[o.ID]
		}
		spec, err := json.Marshal(o)
		if err != nil {
			return fmt.Errorf("encode %s %s of the directory: %w", o.Kind, o.ID, err)
		}
		rows = append(rows, directoryObjectRow{Organization: string(o.Organization), Kind: string(o.Kind), ID: o.ID, NameKey: strings.ToLower(o.Name), DisplayKey: strings.ToLower(o.DisplayName),
			Personal: o.Personal, Gone: at(o.Gone), Round: round, Spec: string(spec)})
	}
	return chunks(rows, func(part []directoryObjectRow) error { return put(ctx, tx, &part, "organization, kind, id") })
}

// purposes adds what is known of the mailboxes of users among part.
func (tx *Tx) purposes(ctx context.Context, part []holdfast.DirectoryObject, to map[string]string) error {
	var ids []string
	for _, o := range part {
		if o.Kind == holdfast.DirectoryUser && o.Purpose == "" {
			ids = append(ids, clean(o.ID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []directoryObjectRow
	known, err := scan(ctx, tx.db.NewSelect().Model(&rows).Where("organization = ? AND kind = ? AND id IN (?)", clean(string(part[0].Organization)), string(holdfast.DirectoryUser), bun.In(ids)), &rows, directoryObjectRow.noun)
	for _, o := range known {
		to[o.ID] = o.Purpose
	}
	return err
}

// PutDirectoryPurpose keeps what a user's mailbox is for, of a user that is known.
func (tx *Tx) PutDirectoryPurpose(ctx context.Context, org holdfast.OrganizationID, user, purpose string) error {
	var rows []directoryObjectRow
	if err := tx.db.NewSelect().Model(&rows).Where("organization = ? AND kind = ? AND id = ?", clean(string(org)), string(holdfast.DirectoryUser), clean(user)).Scan(ctx); err != nil {
		return fmt.Errorf("look up user %s of the directory: %w", user, err)
	}
	for _, r := range rows {
		o, err := r.noun()
		if err != nil || o.Purpose == purpose {
			return err
		}
		o.Purpose = purpose
		spec, err := json.Marshal(o)
		if err != nil {
			return fmt.Errorf("encode user %s of the directory: %w", user, err)
		}
		r.Spec = string(spec)
		if err := put(ctx, tx, &r, "organization, kind, id"); err != nil {
			return err
		}
	}
	return nil
}

// MissDirectoryObjects marks the objects of a kind that a full round did not see as gone since then.
func (tx *Tx) MissDirectoryObjects(ctx context.Context, org holdfast.OrganizationID, kind holdfast.DirectoryKind, round int64, since time.Time) error {
	if _, err := tx.db.NewUpdate().Model((*directoryObjectRow)(nil)).Set("gone = ?", at(since)).Where("organization = ? AND kind = ? AND round < ? AND gone = 0", string(org), string(kind), round).Exec(ctx); err != nil {
		return fmt.Errorf("mark what is gone: %w", err)
	}
	return nil
}

type directoryMemberRow struct {
	bun.BaseModel `bun:"table:directory_members,alias:t"`
	Organization  string `bun:",pk"`
	GroupID       string `bun:",pk"`
	Member        string `bun:",pk"`
	Kind          string
	Round         int64
}

func (r directoryMemberRow) noun() (holdfast.DirectoryMember, error) {
	return holdfast.DirectoryMember{Group: r.GroupID, Kind: holdfast.DirectoryKind(r.Kind), Member: r.Member}, nil
}

// DirectoryMembers gives what is directly in any of some groups.
func (tx *Tx) DirectoryMembers(ctx context.Context, org holdfast.OrganizationID, groups ...string) ([]holdfast.DirectoryMember, error) {
	return tx.directoryMembers(ctx, org, "group_id", groups)
}

// DirectoryMemberships gives the groups in which any of some users or groups are directly.
func (tx *Tx) DirectoryMemberships(ctx context.Context, org holdfast.OrganizationID, members ...string) ([]holdfast.DirectoryMember, error) {
	return tx.directoryMembers(ctx, org, "member", members)
}

func (tx *Tx) directoryMembers(ctx context.Context, org holdfast.OrganizationID, column string, ids []string) ([]holdfast.DirectoryMember, error) {
	var out []holdfast.DirectoryMember
	err := chunks(cleaned(ids), func(part []string) error {
		var rows []directoryMemberRow
		more, err := scan(ctx, tx.db.NewSelect().Model(&rows).Where("organization = ? AND ? IN (?)", string(org), bun.Ident(column), bun.In(part)).OrderExpr("group_id, member"), &rows, directoryMemberRow.noun)
		out = append(out, more...)
		return err
	})
	return out, err
}

// ChangeDirectoryMembers applies changes of groups' members in their order. Whoever leaves because he is gone himself stays known.
func (tx *Tx) ChangeDirectoryMembers(ctx context.Context, org holdfast.OrganizationID, round int64, all ...holdfast.DirectoryMember) error {
	last := map[[2]string]int{} // the last change of a member counts
	for i, m := range all {
		last[[2]string{m.Group, m.Member}] = i
	}
	var rows []directoryMemberRow
	gone := map[string][]string{}
	for i, m := range all {
		switch {
		case last[[2]string{m.Group, m.Member}] != i:
		case m.Gone:
			gone[m.Group] = append(gone[m.Group], m.Member)
		default:
			rows = append(rows, directoryMemberRow{Organization: string(org), GroupID: clean(m.Group), Member: clean(m.Member), Kind: string(m.Kind), Round: round})
		}
	}
	for group, members := range gone {
		if err := chunks(cleaned(members), func(part []string) error {
			return del[directoryMemberRow](ctx, tx, "organization = ? AND group_id = ? AND member IN (?) AND "+memberIsThere, string(org), group, bun.In(part))
		}); err != nil {
			return err
		}
	}
	return chunks(rows, func(part []directoryMemberRow) error { return put(ctx, tx, &part, "organization, group_id, member") })
}

// memberIsThere is true of a row of directory_members whose member is not gone, or not known.
const memberIsThere = "NOT EXISTS (SELECT 1 FROM directory_objects AS o WHERE o.organization = t.organization AND o.id = t.member AND o.gone > 0)"

// MissDirectoryMembers forgets members that a full round did not see, unless they or their group are gone themselves.
func (tx *Tx) MissDirectoryMembers(ctx context.Context, org holdfast.OrganizationID, round int64) error {
	return del[directoryMemberRow](ctx, tx, "organization = ? AND round < ? AND "+memberIsThere+" AND NOT EXISTS (SELECT 1 FROM directory_objects AS g WHERE g.organization = t.organization AND g.kind = 'group' AND g.id = t.group_id AND g.gone > 0)", string(org), round)
}

type directoryStateRow struct {
	bun.BaseModel `bun:"table:directory_states,alias:t"`
	Organization  string `bun:",pk"`
	Spec          string
}

func (r directoryStateRow) noun() (holdfast.DirectoryState, error) {
	var s holdfast.DirectoryState
	if err := json.Unmarshal([]byte(r.Spec), &s); err != nil {
		return s, fmt.Errorf("decode the state of the directory of %s: %w", r.Organization, err)
	}
	return s, nil
}

// DirectoryState gives an organization's; never synchronised is the zero state.
func (tx *Tx) DirectoryState(ctx context.Context, org holdfast.OrganizationID) (holdfast.DirectoryState, error) {
	var rows []directoryStateRow
	all, err := scan(ctx, tx.db.NewSelect().Model(&rows).Where("organization = ?", clean(string(org))), &rows, directoryStateRow.noun)
	if err != nil || len(all) == 0 {
		return holdfast.DirectoryState{Organization: org}, err
	}
	return all[0], nil
}

// PutDirectoryState keeps one.
func (tx *Tx) PutDirectoryState(ctx context.Context, s holdfast.DirectoryState) error {
	spec, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the state of the directory of %s: %w", s.Organization, err)
	}
	return put(ctx, tx, &directoryStateRow{Organization: string(s.Organization), Spec: string(spec)}, "organization")
}
