package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"holdfast/internal/holdfast"
)

// Exclusions are what no job backs up and what retention spares. Both hold beside what jobs say, and win over it.
type Exclusions struct{ *core }

const (
	settingFolders          = "folder exclusions"
	settingRetentionSparing = "retention exclusions"
)

// setting reads a setting that is kept as JSON; one that was never set is the zero value.
func setting[T any](ctx context.Context, tx Tx, name string) (value T, err error) {
	text, ok, err := tx.Setting(ctx, name)
	if err != nil || !ok {
		return value, err
	}
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return value, fmt.Errorf("decode the setting %q: %w", name, err)
	}
	return value, nil
}

func putSetting(ctx context.Context, tx Tx, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the setting %q: %w", name, err)
	}
	return tx.PutSetting(ctx, name, string(text))
}

// Folders gives the folders that no job backs up.
func (e *Exclusions) Folders(ctx context.Context, u User) (holdfast.FolderExclusions, error) {
	return readAs(ctx, e.core, u, ActSeeExclusions, func(ctx context.Context, tx Tx) (holdfast.FolderExclusions, error) {
		return setting[holdfast.FolderExclusions](ctx, tx, settingFolders)
	})
}

// ChangeFolders has change say which folders no job backs up. It takes effect with the next run of each job: what is stored of a folder leaves the
// restore points that are made from then on, and stays in those that there are.
func (e *Exclusions) ChangeFolders(ctx context.Context, u User, change func(*holdfast.FolderExclusions) error) error {
	return e.changeAs(ctx, u, ActChangeExclusions, func(ctx context.Context, tx Tx) error {
		folders, err := setting[holdfast.FolderExclusions](ctx, tx, settingFolders)
		if err != nil {
			return err
		}
		if err := change(&folders); err != nil {
			return err
		}
		if err := e.audit(ctx, tx, u, "exclusion.folders", "exclusion/folders", "left out: "+nameList(folders.Titles())); err != nil {
			return err
		}
		return putSetting(ctx, tx, settingFolders, folders)
	})
}

func nameList(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// Retention gives what retention spares in all organizations that have no exclusion of their own.
func (e *Exclusions) Retention(ctx context.Context, u User) (holdfast.RetentionExclusion, error) {
	return readAs(ctx, e.core, u, ActSeeExclusions, func(ctx context.Context, tx Tx) (holdfast.RetentionExclusion, error) {
		all, err := setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
		return all.Everywhere, err
	})
}

// SetRetention sets what Retention gives.
func (e *Exclusions) SetRetention(ctx context.Context, u User, to holdfast.RetentionExclusion) error {
	return e.changeAs(ctx, u, ActSpareRetention, func(ctx context.Context, tx Tx) error {
		return e.changeRetention(ctx, tx, u, "of all organizations", func(all *holdfast.RetentionExclusions) string {
			all.Everywhere = to
			return describeSparing(to)
		})
	})
}

// OrganizationRetention gives what retention spares of an organization: its own exclusion, or that of all.
func (e *Exclusions) OrganizationRetention(ctx context.Context, u User, id holdfast.OrganizationID) (holdfast.RetentionExclusion, error) {
	return readAs(ctx, e.core, u, ActSeeOrgExclusion, func(ctx context.Context, tx Tx) (holdfast.RetentionExclusion, error) {
		if _, err := tx.Organization(ctx, id); err != nil {
			return holdfast.RetentionExclusion{}, err
		}
		all, err := setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
		return all.Of(id), err
	})
}

// SetOrganizationRetention gives an organization an exclusion of its own.
func (e *Exclusions) SetOrganizationRetention(ctx context.Context, u User, id holdfast.OrganizationID, to holdfast.RetentionExclusion) error {
	return e.changeAs(ctx, u, ActSpareOrg, func(ctx context.Context, tx Tx) error {
		org, err := tx.Organization(ctx, id)
		if err != nil {
			return err
		}
		return e.changeRetention(ctx, tx, u, "of "+org.Name, func(all *holdfast.RetentionExclusions) string {
			all.Organizations = maps.Clone(all.Organizations)
			if all.Organizations == nil {
				all.Organizations = map[holdfast.OrganizationID]holdfast.RetentionExclusion{}
			}
			all.Organizations[id] = to
			return describeSparing(to)
		})
	})
}

// DropOrganizationRetention has what holds for all organizations hold for one again.
func (e *Exclusions) DropOrganizationRetention(ctx context.Context, u User, id holdfast.OrganizationID) error {
	return e.changeAs(ctx, u, ActSpareOrg, func(ctx context.Context, tx Tx) error {
		org, err := tx.Organization(ctx, id)
		if err != nil {
			return err
		}
		return e.changeRetention(ctx, tx, u, "of "+org.Name, func(all *holdfast.RetentionExclusions) string {
			delete(all.Organizations, id)
			return "as of all organizations"
		})
	})
}

// forgetOrganization drops the exclusion of an organization that is removed: nobody could do so later.
func (e *Exclusions) forgetOrganization(ctx context.Context, tx Tx, id holdfast.OrganizationID) error {
	all, err := setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
	if _, own := all.Organizations[id]; err != nil || !own {
		return err
	}
	delete(all.Organizations, id)
	return putSetting(ctx, tx, settingRetentionSparing, all)
}

func (e *Exclusions) changeRetention(ctx context.Context, tx Tx, u User, whose string, change func(*holdfast.RetentionExclusions) string) error {
	all, err := setting[holdfast.RetentionExclusions](ctx, tx, settingRetentionSparing)
	if err != nil {
		return err
	}
	detail := change(&all)
	if err := e.audit(ctx, tx, u, "exclusion.retention", "exclusion/retention", whose+": "+detail); err != nil {
		return err
	}
	return putSetting(ctx, tx, settingRetentionSparing, all)
}

func describeSparing(e holdfast.RetentionExclusion) string {
	var spared []string
	if e.Contacts {
		spared = append(spared, "contacts")
	}
	if e.Calendar {
		spared = append(spared, "calendar")
	}
	return "spared: " + nameList(spared)
}
