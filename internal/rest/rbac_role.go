package rest

import (
	"cmp"
	"context"
	"strings"

	"github.com/google/uuid"

	"holdfast/internal/holdfast"
	"holdfast/internal/rest/contract"
	"holdfast/internal/service"
)

// Restore roles say who may restore for whom.

func (a *API) rbacRoleGetAll(ctx context.Context, r *request) (any, error) {
	return a.rbacRoles(ctx, r, "")
}

func (a *API) rbacRoleGetByOrganization(ctx context.Context, r *request) (any, error) {
	id, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	return a.rbacRoles(ctx, r, holdfast.OrganizationID(id))
}

func (a *API) rbacRoles(ctx context.Context, r *request, org holdfast.OrganizationID) (any, error) {
	all, err := a.services.RbacRoles.List(ctx, r.user, org)
	if err != nil {
		return nil, err
	}
	return list(all, func(one holdfast.RbacRole) contract.RESTRbacRole { return rbacRoleToContract(r.links, one) }), nil
}

func (a *API) rbacRoleGet(ctx context.Context, r *request) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	role, err := a.services.RbacRoles.Get(ctx, r.user, id)
	if err != nil {
		return nil, err
	}
	return rbacRoleToContract(r.links, role), nil
}

func (a *API) rbacRoleAdd(ctx context.Context, r *request) (any, error) {
	org, err := r.id("organizationId")
	if err != nil {
		return nil, err
	}
	spec, err := r.rbacSpec()
	if err != nil {
		return nil, err
	}
	if spec.Whole == nil {
		spec.Whole = new(len(spec.Selected) == 0)
	}
	role, err := a.services.RbacRoles.Create(ctx, r.user, holdfast.OrganizationID(org), spec)
	if err != nil {
		return nil, err
	}
	return rbacRoleToContract(r.links, role), nil
}

func (a *API) rbacRoleUpdate(ctx context.Context, r *request) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	spec, err := r.rbacSpec()
	if err != nil {
		return nil, err
	}
	_, err = a.services.RbacRoles.Update(ctx, r.user, id, spec)
	return nil, err
}

func (a *API) rbacRoleDelete(ctx context.Context, r *request) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.RbacRoles.Delete(ctx, r.user, id)
}

func (r *request) rbacSpec() (service.RbacSpec, error) {
	var in contract.RESTRbacRoleCreateModel
	if err := r.decode(&in); err != nil {
		return service.RbacSpec{}, err
	}
	spec := service.RbacSpec{Name: in.Name, Description: in.Description}
	if in.RoleType != nil {
		spec.Whole = new(*in.RoleType == contract.RESTRbacRoleCreateModelRoleTypeEntireOrganization)
	}
	if in.Operators != nil {
		spec.Operators = list(in.Operators, operatorFromContract)
	}
	if in.SelectedItems != nil {
		spec.Selected = list(in.SelectedItems, rbacItemFromContract)
	}
	if in.ExcludedItems != nil {
		spec.Excluded = list(in.ExcludedItems, rbacItemFromContract)
	}
	return spec, nil
}

func (a *API) rbacRoleGetOperators(ctx context.Context, r *request) (any, error) {
	return a.rbacItems(ctx, r, service.RbacOperators)
}

func (a *API) rbacRoleGetSelectedItems(ctx context.Context, r *request) (any, error) {
	return a.rbacItems(ctx, r, service.RbacSelected)
}

func (a *API) rbacRoleGetExcludedItems(ctx context.Context, r *request) (any, error) {
	return a.rbacItems(ctx, r, service.RbacExcluded)
}

func (a *API) rbacRoleGetOperator(ctx context.Context, r *request) (any, error) {
	return a.rbacItem(ctx, r, service.RbacOperators, "operatorId")
}

func (a *API) rbacRoleGetSelectedItem(ctx context.Context, r *request) (any, error) {
	return a.rbacItem(ctx, r, service.RbacSelected, "itemId")
}

func (a *API) rbacRoleGetExcludedItem(ctx context.Context, r *request) (any, error) {
	return a.rbacItem(ctx, r, service.RbacExcluded, "itemId")
}

func (a *API) rbacRoleAddOperators(ctx context.Context, r *request) (any, error) {
	var in []contract.RESTRbacOperator
	return a.addRbacItems(ctx, r, service.RbacOperators, &in, func() []holdfast.RbacItem { return list(in, operatorFromContract) })
}

func (a *API) rbacRoleAddSelectedItems(ctx context.Context, r *request) (any, error) {
	var in []contract.RESTRbacItemComposed
	return a.addRbacItems(ctx, r, service.RbacSelected, &in, func() []holdfast.RbacItem { return list(in, rbacItemFromContract) })
}

func (a *API) rbacRoleAddExcludedItems(ctx context.Context, r *request) (any, error) {
	var in []contract.RESTRbacItemComposed
	return a.addRbacItems(ctx, r, service.RbacExcluded, &in, func() []holdfast.RbacItem { return list(in, rbacItemFromContract) })
}

func (a *API) rbacRoleDeleteOperators(ctx context.Context, r *request) (any, error) {
	return a.removeRbacItems(ctx, r, service.RbacOperators)
}

func (a *API) rbacRoleDeleteSelectedItems(ctx context.Context, r *request) (any, error) {
	return a.removeRbacItems(ctx, r, service.RbacSelected)
}

func (a *API) rbacRoleDeleteExcludedItems(ctx context.Context, r *request) (any, error) {
	return a.removeRbacItems(ctx, r, service.RbacExcluded)
}

// The three lists of a role are one resource in three places. Operators have a shape of their own, with fewer types.

func (a *API) rbacItems(ctx context.Context, r *request, which service.RbacList) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	items, err := a.services.RbacRoles.Items(ctx, r.user, id, which)
	if err != nil {
		return nil, err
	}
	return list(items, func(i holdfast.RbacItem) any { return rbacItemToContract(r.links, id, which, i) }), nil
}

func (a *API) rbacItem(ctx context.Context, r *request, which service.RbacList, parameter string) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	item, err := a.services.RbacRoles.Item(ctx, r.user, id, which, strings.ToLower(r.param(parameter)))
	if err != nil {
		return nil, err
	}
	return rbacItemToContract(r.links, id, which, item), nil
}

func (a *API) addRbacItems(ctx context.Context, r *request, which service.RbacList, in any, items func() []holdfast.RbacItem) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	if err := r.decode(in); err != nil {
		return nil, err
	}
	return nil, a.services.RbacRoles.Add(ctx, r.user, id, which, items())
}

func (a *API) removeRbacItems(ctx context.Context, r *request, which service.RbacList) (any, error) {
	id, err := r.id("roleId")
	if err != nil {
		return nil, err
	}
	text, _ := r.query("ids")
	ids := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == ',' || c == ';' || c == ' ' })
	if len(ids) == 0 {
		return nil, holdfast.Invalid("query ids is missing; it lists the items to remove, separated by commas")
	}
	return nil, a.services.RbacRoles.Remove(ctx, r.user, id, which, ids)
}

func rbacRoleToContract(l links, r holdfast.RbacRole) contract.RESTRbacRole {
	kind := contract.RESTRbacRoleRoleTypeSpecificObjects
	if r.Whole {
		kind = contract.RESTRbacRoleRoleTypeEntireOrganization
	}
	id := uuid.MustParse(r.ID)
	return contract.RESTRbacRole{ID: &id, OrganizationID: uid(r.Organization), Name: &r.Name, Description: &r.Description, RoleType: &kind,
		Links: map[string]contract.RESTLinkHAL{
			"self":          l.to(rolePath, r.ID),
			"organization":  l.to(organizationPath, string(r.Organization)),
			"operators":     l.to(rolePath+"/operators", r.ID),
			"selectedItems": l.to(rolePath+"/selectedItems", r.ID),
			"excludedItems": l.to(rolePath+"/excludedItems", r.ID),
		}}
}

func operatorFromContract(in contract.RESTRbacOperator) holdfast.RbacItem {
	kind := contract.RESTRbacItemType(in.Type)
	return rbacItemFromContract(contract.RESTRbacItemComposed{Type: &kind, User: in.User, Group: in.Group})
}

func rbacItemFromContract(in contract.RESTRbacItemComposed) holdfast.RbacItem {
	item := holdfast.RbacItem{Type: string(value(in.Type))}
	switch {
	case item.Type == string(contract.RESTRbacItemTypeUser) && in.User != nil:
		item.ObjectID, item.Name, item.DisplayName = in.User.ID, in.User.Name, in.User.DisplayName
	case item.Type == string(contract.RESTRbacItemTypeGroup) && in.Group != nil:
		item.ObjectID, item.Name, item.DisplayName, item.Kind = in.Group.ID, value(in.Group.Name), in.Group.DisplayName, string(value(in.Group.Type))
	case item.Type == string(contract.RESTRbacItemTypeSite) && in.Site != nil:
		item.ObjectID, item.Name, item.DisplayName = in.Site.ID, value(in.Site.URL), in.Site.Title
	case item.Type == string(contract.RESTRbacItemTypeTeam) && in.Team != nil:
		item.Name, item.DisplayName = cmp.Or(in.Team.Mail, in.Team.DisplayName), in.Team.DisplayName
		if in.Team.ID != uuid.Nil {
			item.ObjectID = in.Team.ID.String()
		}
	}
	return item
}

func rbacItemToContract(l links, role string, which service.RbacList, item holdfast.RbacItem) any {
	var user *contract.RESTRbacUser
	var group *contract.RESTRbacGroup
	var site *contract.RESTRbacSite
	var team *contract.RESTRbacTeam
	switch item.Type {
	case string(contract.RESTRbacItemTypeUser):
		user = rbacUser(item.ObjectID, item.Name, item.DisplayName, item.Kind)
	case string(contract.RESTRbacItemTypeSite):
		site = &contract.RESTRbacSite{ID: item.ObjectID, URL: &item.Name, Title: item.DisplayName, IsCloud: new(true), IsPersonal: new(false)}
	case string(contract.RESTRbacItemTypeTeam):
		team = &contract.RESTRbacTeam{ID: uuidOf(item.ObjectID), DisplayName: item.DisplayName, Mail: item.Name}
	default:
		group = &contract.RESTRbacGroup{ID: item.ObjectID, Name: &item.Name, DisplayName: item.DisplayName, Type: new(contract.RESTRbacGroupType(item.Kind))}
	}
	at := map[service.RbacList]string{service.RbacOperators: "/operators/{operatorId}", service.RbacSelected: "/selectedItems/{itemId}", service.RbacExcluded: "/excludedItems/{itemId}"}[which]
	self := map[string]contract.RESTLinkHAL{"self": l.to(rolePath+at, role, item.ID), "role": l.to(rolePath, role)}
	if which == service.RbacOperators {
		return contract.RESTRbacOperator{Type: contract.RESTRbacOperatorType(item.Type), ID: &item.ID, User: user, Group: group, Links: self}
	}
	return contract.RESTRbacItemComposed{Type: new(contract.RESTRbacItemType(item.Type)), ID: &item.ID, User: user, Group: group, Site: site, Team: team, Links: self}
}

// uuidOf reads an id that Microsoft gave as a UUID.
func uuidOf(text string) uuid.UUID {
	id, _ := uuid.Parse(text) //nolint:errcheck // the zero id, where Microsoft gave none
	return id
}

func rbacUser(id, name, display, kind string) *contract.RESTRbacUser {
	if kind == "" {
		kind = string(contract.RESTRbacUserTypeUser)
	}
	return &contract.RESTRbacUser{ID: id, Name: name, DisplayName: display, Type: new(contract.RESTRbacUserType(kind))}
}
