package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// idPost describes a route that acts on one row and takes no body.
func idPost(path, id, summary string) huma.Operation {
	o := post(path, id, summary)
	o.Errors = append(o.Errors, http.StatusNotFound)
	return o
}

// roles registers the sets of permissions.
func (s *server) roles() {
	act(s, op("/roles", "list-roles", "The roles there are, and what there is to grant"), auth.PermUsers, func(ctx context.Context, _ *struct{}) (client.Roles, error) {
		all, err := s.dep.Identity.Roles(ctx)
		out := client.Roles{Items: all}
		for _, p := range auth.Permissions() {
			out.Permissions = append(out.Permissions, client.PermissionRow{Name: string(p), Text: auth.Explain(p)})
		}
		return out, err
	})
	one := op("/roles/{id}", "get-role", "One role, by its name")
	one.Errors = append(one.Errors, http.StatusNotFound)
	act(s, one, auth.PermUsers, func(ctx context.Context, in *byID) (honeyguide.Role, error) { return s.dep.Identity.Role(ctx, in.ID) })
	writeAnew(s, post("/roles", "create-role", "Make a role of permissions you have"), auth.PermUsers, func(ctx context.Context, in *client.RoleOrder) (honeyguide.Role, error) {
		return s.dep.Identity.SaveRole(ctx, actor(ctx), honeyguide.Role{Name: in.Name, Title: in.Title, Permissions: in.Permissions}, true)
	})
	change := post("/roles/{id}", "change-role", "Change what a role grants; holds from the next request on")
	change.Method = http.MethodPatch
	write(s, change, auth.PermUsers, func(ctx context.Context, id string, in *client.RolePatch) (honeyguide.Role, error) {
		r, err := s.dep.Identity.Role(ctx, id)
		if err != nil {
			return r, err
		}
		if in.Title != nil {
			r.Title = *in.Title
		}
		if in.Permissions != nil {
			r.Permissions = *in.Permissions
		}
		return s.dep.Identity.SaveRole(ctx, actor(ctx), r, false)
	})
	remove(s, "/roles/{id}", "remove-role", "Remove a role nobody has", auth.PermUsers, func(ctx context.Context, in *byID) (honeyguide.Role, error) {
		return s.dep.Identity.RemoveRole(ctx, actor(ctx), in.ID)
	})
	p := base + "/roles"
	s.router.lately("POST "+p, "PATCH "+p+"/{id}", "DELETE "+p+"/{id}")
}
