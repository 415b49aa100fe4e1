package rest

import (
	"context"
	"slices"
	"strings"
	"time"

	"holdfast/internal/holdfast"
	"holdfast/internal/service"
)

// Users, their second factors, and API keys.

type localUser struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	DisplayName  string     `json:"displayName,omitzero"`
	Role         string     `json:"role"`
	Roles        []string   `json:"roles"`
	Disabled     bool       `json:"disabled"`
	SecondFactor bool       `json:"secondFactor"`
	Directory    bool       `json:"directory"`
	Organization string     `json:"organizationId,omitzero"`
	Created      *time.Time `json:"created,omitzero"`
	LastLogin    *time.Time `json:"lastLogin,omitzero"`
}

func userToOwn(a holdfast.Account) localUser {
	return localUser{ID: string(a.ID), Name: a.Name, DisplayName: a.DisplayName, Role: a.Role, Roles: []string{a.Role}, Disabled: a.Disabled, SecondFactor: a.SecondFactor(), Directory: !a.Local(),
		Organization: string(a.Organization), Created: stamp(a.Created), LastLogin: stamp(a.LastLogin)}
}

// userGet lists the local users, or with directory=true the users of directories who have signed in.
func (a *API) userGet(ctx context.Context, r *request) (any, error) {
	directory, err := r.queryBool("directory", false)
	if err != nil {
		return nil, err
	}
	all, err := a.services.Users.List(ctx, r.user, !directory, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	return list(all, userToOwn), nil
}

type userBody struct {
	Name        *string `json:"name,omitzero"`
	DisplayName *string `json:"displayName,omitzero"`
	Role        *string `json:"role,omitzero"`
	Password    *string `json:"password,omitzero"`
	Disabled    *bool   `json:"disabled,omitzero"`
}

func (in userBody) spec() service.UserSpec {
	s := service.UserSpec{Name: in.Name, DisplayName: in.DisplayName, Password: in.Password, Disabled: in.Disabled}
	if in.Role != nil {
		s.Role = new(roleNamed(*in.Role))
	}
	return s
}

// roleNamed takes a role in any case.
func roleNamed(text string) service.Role {
	if i := slices.IndexFunc(service.Roles, func(r service.Role) bool { return strings.EqualFold(string(r), text) }); i >= 0 {
		return service.Roles[i]
	}
	return service.Role(text)
}

func (a *API) userAdd(ctx context.Context, r *request) (any, error) {
	var in userBody
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	u, err := a.services.Users.Create(ctx, r.user, in.spec())
	if err != nil {
		return nil, err
	}
	return userToOwn(u), nil
}

func (a *API) userUpdate(ctx context.Context, r *request) (any, error) {
	id, err := r.id("userId")
	if err != nil {
		return nil, err
	}
	var in userBody
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	u, err := a.services.Users.Update(ctx, r.user, holdfast.UserID(id), in.spec())
	if err != nil {
		return nil, err
	}
	return userToOwn(u), nil
}

func (a *API) userRemove(ctx context.Context, r *request) (any, error) {
	id, err := r.id("userId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Users.Remove(ctx, r.user, holdfast.UserID(id))
}

func (a *API) userSetPassword(ctx context.Context, r *request) (any, error) {
	id, err := r.id("userId")
	if err != nil {
		return nil, err
	}
	var in struct {
		Password string `json:"password"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	return nil, a.services.Users.SetPassword(ctx, r.user, holdfast.UserID(id), in.Password)
}

func (a *API) userResetFactor(ctx context.Context, r *request) (any, error) {
	id, err := r.id("userId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.Admin.ResetFactor(ctx, r.user, holdfast.UserID(id))
}

// userGetSelf is the caller's own account.
func (a *API) userGetSelf(ctx context.Context, r *request) (any, error) {
	u, codes, err := a.services.Users.Self(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return struct {
		localUser
		RecoveryCodes int `json:"recoveryCodesLeft"`
	}{userToOwn(u), codes}, nil
}

func (a *API) totpBegin(ctx context.Context, r *request) (any, error) {
	f, err := a.services.Admin.BeginFactor(ctx, r.user)
	if err != nil {
		return nil, err
	}
	return struct {
		Secret string `json:"secret"`
		URL    string `json:"url"`
	}{f.Secret, f.URL}, nil
}

func (a *API) totpConfirm(ctx context.Context, r *request) (any, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	codes, err := a.services.Admin.ConfirmFactor(ctx, r.user, in.Code, r.cookie)
	if factorOf(err) != "" { // the login itself is good
		return nil, holdfast.Invalid("%s", err)
	} else if err != nil {
		return nil, err
	}
	return struct {
		Codes []string `json:"recoveryCodes"`
	}{codes}, nil
}

func (a *API) totpRemove(ctx context.Context, r *request) (any, error) {
	var in struct {
		Code string `json:"code,omitzero"`
	}
	if err := r.decodeOptional(&in); err != nil {
		return nil, err
	}
	return nil, a.services.Admin.RemoveFactor(ctx, r.user, in.Code)
}

type apiKey struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	User          string     `json:"user"`
	Role          string     `json:"role"`
	Roles         []string   `json:"roles"`
	Organizations []string   `json:"organizationIds,omitzero"` // absent: all
	Created       *time.Time `json:"created,omitzero"`
	Expires       *time.Time `json:"expires,omitzero"`
	LastUsed      *time.Time `json:"lastUsed,omitzero"`
	Key           string     `json:"key,omitzero"` // only when it has just been made
}

func keyToOwn(k holdfast.APIKey) apiKey {
	out := apiKey{ID: k.ID, Name: k.Name, User: k.AccountName, Role: k.Role, Roles: []string{k.Role}, Created: stamp(k.Created), Expires: stamp(k.Expires), LastUsed: stamp(k.LastUsed)}
	for _, o := range k.Organizations {
		out.Organizations = append(out.Organizations, string(o))
	}
	return out
}

func (a *API) apiKeyGet(ctx context.Context, r *request) (any, error) {
	all, err := a.services.APIKeys.List(ctx, r.user, holdfast.Page{})
	if err != nil {
		return nil, err
	}
	return list(all, keyToOwn), nil
}

func (a *API) apiKeyAdd(ctx context.Context, r *request) (any, error) {
	var in struct {
		Name          string     `json:"name"`
		Role          string     `json:"role,omitzero"`
		Organizations []string   `json:"organizationIds,omitzero"`
		Expires       *time.Time `json:"expires,omitzero"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	spec := service.KeySpec{Name: in.Name, Expires: value(in.Expires)}
	if in.Role != "" {
		spec.Role = roleNamed(in.Role)
	}
	for _, o := range in.Organizations {
		spec.Organizations = append(spec.Organizations, holdfast.OrganizationID(strings.ToLower(o)))
	}
	k, secret, err := a.services.APIKeys.Create(ctx, r.user, spec)
	if err != nil {
		return nil, err
	}
	out := keyToOwn(k)
	out.Key = secret
	return out, nil
}

func (a *API) apiKeyRemove(ctx context.Context, r *request) (any, error) {
	id, err := r.id("keyId")
	if err != nil {
		return nil, err
	}
	return nil, a.services.APIKeys.Remove(ctx, r.user, id)
}
