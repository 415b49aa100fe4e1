package sharepoint

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"holdfast/internal/m365"
)

// Root is the server-relative path of a list.
func (w *Web) Root(ctx context.Context, listID string) (string, error) {
	var l ListState
	err := w.get(ctx, list(listID)+"?$select=RootFolder/ServerRelativeUrl&$expand=RootFolder", &l)
	return l.RootFolder.Path, err
}

// FolderItem is the number that the folder at a server-relative path has as an item of its list; an error of kind NotFound when there is none.
// https://learn.microsoft.com/sharepoint/dev/solution-guidance/supporting-and-in-file-and-folder-with-the-resourcepath-api
func (w *Web) FolderItem(ctx context.Context, path string) (string, error) {
	var row struct {
		ID   int `json:"Id"`
		Type int `json:"FileSystemObjectType"`
	}
	at := "/web/GetFolderByServerRelativePath(decodedurl=" + quoted(path) + ")/ListItemAllFields"
	if err := w.get(ctx, at+"?$select=Id,FileSystemObjectType", &row); err != nil {
		return "", err
	}
	if row.ID == 0 || row.Type != objectFolder {
		return "", &m365.Error{Kind: m365.NotFound, Call: "GET " + at, Code: "no folder of a list"}
	}
	return strconv.Itoa(row.ID), nil
}

// FileItem is the number that a file or page with a unique id has as an item of its list.
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/working-with-folders-and-files-with-rest
func (w *Web) FileItem(ctx context.Context, id string) (string, error) {
	var row struct {
		ID int `json:"Id"`
	}
	at := "/web/GetFileById(" + quoted(id) + ")/ListItemAllFields"
	if err := w.get(ctx, at+"?$select=Id", &row); err != nil {
		return "", err
	}
	if row.ID == 0 {
		return "", &m365.Error{Kind: m365.NotFound, Call: "GET " + at, Code: "no item of a list"}
	}
	return strconv.Itoa(row.ID), nil
}

// NewItem is what Add makes: an item, or a folder of that name, in the folder at a server-relative path.
type NewItem struct {
	In     string
	Folder string
	Values []FormValue
}

// Add makes an item or a folder in a folder of a list and gives its id. When a value is refused, or a folder of that name is there, nothing is made.
// It makes another item each time that it is called.
// https://learn.microsoft.com/sharepoint/dev/sp-add-ins/working-with-lists-and-list-items-with-rest (create list item in a folder)
func (w *Web) Add(ctx context.Context, listID string, n NewItem) (id string, refused []FieldError, err error) {
	type path struct{ DecodedUrl string }
	info := map[string]any{"FolderPath": path{n.In}, "UnderlyingObjectType": objectFile}
	if n.Folder != "" {
		info["LeafName"], info["UnderlyingObjectType"] = path{n.Folder}, objectFolder
	}
	values := n.Values
	if values == nil {
		values = []FormValue{}
	}
	var out formAnswer
	in := map[string]any{"listItemCreateInfo": info, "formValues": values, "bNewDocumentUpdate": false, "datesInUTC": true, "numberInInvariantCulture": true}
	call := list(listID) + "/AddValidateUpdateItemUsingPath"
	if err := w.decode(ctx, http.MethodPost, call, in, &out, write, false); err != nil {
		return "", nil, err
	}
	if refused := out.refused(); len(refused) > 0 {
		return "", refused, nil
	}
	for _, v := range out.Value {
		if strings.EqualFold(v.Name, "Id") {
			return v.Text, nil, nil
		}
	}
	return "", nil, &m365.Error{Kind: m365.Corrupt, Call: "POST " + call, Code: "answer not understood", Message: "the item that was made has no id"}
}
