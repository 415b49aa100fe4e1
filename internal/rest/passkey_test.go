package rest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// authenticator is a device that keeps one passkey, with its browser: it answers the options of WebAuthn as the standard has it
// (https://www.w3.org/TR/webauthn-3/), or wrongly, as far as its fields say.
type authenticator struct {
	w      *world
	key    *ecdsa.PrivateKey
	id     []byte
	handle string // the user's, base64url
	host   string
	origin string
	count  uint32
	flags  byte // user present and verified, unless a test says otherwise
}

const (
	passkeyPresent, passkeyVerified = 0x01, 0x04
	passkeyAttested                 = 0x40
	account, passkeysAt             = "/holdfast/v1", "/holdfast/v1/users/me/passkeys"
)

var b64 = base64.RawURLEncoding

func newAuthenticator(w *world) *authenticator {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	a := &authenticator{w: w, key: key, id: make([]byte, 32), host: "example.com", origin: "https://example.com", flags: passkeyPresent | passkeyVerified}
	rand.Read(a.id)
	return a
}

// data is authenticator data with what comes after the counter.
func (a *authenticator) data(flags byte, more ...byte) []byte {
	sum := sha256.Sum256([]byte(a.host))
	return slices.Concat(sum[:], []byte{a.flags | flags}, binary.BigEndian.AppendUint32(nil, a.count), more)
}

func (a *authenticator) client(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	a.w.must(err)
	return text
}

func (a *authenticator) credential(response map[string]any) map[string]any {
	return map[string]any{"id": b64.EncodeToString(a.id), "rawId": b64.EncodeToString(a.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response}
}

// make answers a request for a new passkey.
func (a *authenticator) make(asked *reply) map[string]any {
	a.w.t.Helper()
	a.handle = asked.text("publicKey", "user", "id")
	if asked.text("publicKey", "rp", "id") != a.host && a.host == "example.com" {
		a.w.t.Errorf("a passkey of %s is asked for", asked.text("publicKey", "rp", "id"))
	}
	point, err := a.key.PublicKey.Bytes() // 4, X, Y
	a.w.must(err)
	cose := slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33], []byte{0x22, 0x58, 32}, point[33:])
	data := a.data(passkeyAttested, slices.Concat(make([]byte, 16), []byte{0, byte(len(a.id))}, a.id, cose)...)
	object := slices.Concat([]byte{0xa3, 0x63}, []byte("fmt"), []byte{0x64}, []byte("none"), []byte{0x67}, []byte("attStmt"), []byte{0xa0, 0x68}, []byte("authData"), []byte{0x58, byte(len(data))}, data)
	return map[string]any{"requestId": asked.text("requestId"), "credential": a.credential(map[string]any{
		"clientDataJSON": b64.EncodeToString(a.client("webauthn.create", asked.text("publicKey", "challenge"))), "attestationObject": b64.EncodeToString(object), "transports": []string{"internal"}})}
}

// get answers a request for the passkey, and counts.
func (a *authenticator) get(asked *reply) map[string]any {
	a.w.t.Helper()
	a.count++
	client, data := a.client("webauthn.get", asked.text("publicKey", "challenge")), a.data(0)
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(slices.Concat(data, sum[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	a.w.must(err)
	return map[string]any{"requestId": asked.text("requestId"), "credential": a.credential(map[string]any{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data), "signature": b64.EncodeToString(signature), "userHandle": a.handle})}
}

// add makes a passkey of whoever is signed in.
func (a *authenticator) add(name string) *reply {
	a.w.t.Helper()
	body := a.make(a.w.call("POST", passkeysAt+"/request", nil).want(200))
	body["name"] = name
	return a.w.call("POST", passkeysAt, body)
}

// signIn answers a request of its own.
func (a *authenticator) signIn() *reply {
	a.w.t.Helper()
	return a.w.passkeySignIn(a.get(a.w.call("POST", account+"/session/passkey", nil).want(200)))
}

func (w *world) passkeySignIn(answer map[string]any) *reply {
	w.t.Helper()
	return w.call("POST", account+"/session", map[string]any{"passkey": answer})
}

func (w *world) password(user, password string) *reply {
	w.t.Helper()
	return w.call("POST", account+"/session", map[string]any{"username": user, "password": password})
}

// person makes a user and signs him in.
func (w *world) person(name, password string) {
	w.t.Helper()
	w.cookie, w.bearer = "", "" // a session that comes along ends
	w.cookie = cookieOf(w.password("admin", "correct horse battery").want(200))
	w.call("POST", account+"/users", map[string]any{"name": name, "password": password, "role": "Auditor"}).want(201)
	w.cookie = ""
	w.cookie = cookieOf(w.password(name, password).want(200))
}

func TestAPasskeySignsInAlone(t *testing.T) {
	w := newWorld(t)
	const password = "a long enough one"
	w.person("eve", password)
	other := w.cookie
	w.cookie = cookieOf(func() *reply { w.cookie = ""; return w.password("eve", password).want(200) }())
	a := newAuthenticator(w)
	made := a.add("Laptop").want(201)
	if made.text("name") != "Laptop" || made.text("host") != "example.com" || len(made.get("recoveryCodes").([]any)) != 10 {
		t.Errorf("got %s", made.body)
	}
	mine := w.cookie
	w.call("GET", account+"/session", nil).want(200)
	w.cookie = other
	w.call("GET", account+"/session", nil).want(401) // other logins have ended
	w.cookie = ""

	// A password alone does not do any more; with a recovery code it does, once.
	if got := w.password("eve", password).want(401); got.text("secondFactor") != "passkey" {
		t.Errorf("got %s", got.body)
	}
	script := map[string]any{"grant_type": "password", "username": "eve", "password": password}
	if got := w.call("POST", "/v8/token", script).want(400); got.text("second_factor") != "passkey" || !strings.Contains(got.text("error_description"), "API key") {
		t.Errorf("a script: %s", got.body)
	}
	recovery := map[string]any{"username": "eve", "password": password, "code": made.text("recoveryCodes", 3)}
	w.call("POST", account+"/session", recovery).want(200)
	w.call("POST", account+"/session", recovery).want(401)
	for _, code := range []string{"000000", "123456"} { // there are no codes of time
		recovery["code"] = code
		w.call("POST", account+"/session", recovery).want(401)
	}

	signed := a.signIn().want(200)
	if signed.text("user", "name") != "eve" || !signed.get("user", "passkeys").(bool) || signed.get("user", "totp").(bool) {
		t.Errorf("got %s", signed.body)
	}
	w.cookie = cookieOf(signed)
	listed := w.call("GET", passkeysAt, nil).want(200)
	if listed.text(0, "lastUsed") == "" || listed.text(0, "name") != "Laptop" {
		t.Errorf("got %s", listed.body)
	}
	// A second one brings no other recovery codes.
	b := newAuthenticator(w)
	if got := b.add("").want(201); strings.Contains(string(got.body), "recoveryCodes") || got.text("name") != "Passkey" {
		t.Errorf("got %s", got.body)
	}
	a.add("again").says(409, "in use already")
	b.signIn().want(200)
	w.cookie = mine
	w.call("GET", account+"/session", nil).want(401)

	// Acts on them are in the chain, in their order.
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": "correct horse battery"}).want(200).text("access_token")
	for act, want := range map[string]int{"passkey.add": 2, "passkey.use": 2} {
		if got := w.call("GET", account+"/Audit?act="+act, nil).want(200).get("results").([]any); len(got) != want {
			t.Errorf("%s is %d times in the audit chain", act, len(got))
		}
	}
}

func TestAForgedPasskeySignsNobodyIn(t *testing.T) {
	w := newWorld(t)
	w.person("eve", "a long enough one")
	a := newAuthenticator(w)
	a.add("Laptop").want(201)
	w.cookie = ""
	ask := func() *reply { return w.call("POST", account+"/session/passkey", nil).want(200) }
	refused := func(what string, answer map[string]any) {
		t.Helper()
		if got := w.passkeySignIn(answer); got.status != 401 || strings.Contains(string(got.body), "eve") {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	once := a.get(ask())
	w.passkeySignIn(once).want(200)
	refused("an answer that was used", once)

	asked := ask()
	foreign := *a
	foreign.origin = "https://example.com.evil.example"
	refused("another origin", foreign.get(asked))
	refused("an answer after a wrong one to the same request", a.get(asked))
	foreign.origin = "https://example.com:8443"
	refused("another port", foreign.get(ask()))
	foreign = *a
	foreign.host = "evil.example"
	refused("another host name", foreign.get(ask()))
	foreign = *a
	foreign.flags = passkeyPresent
	refused("nobody verified", foreign.get(ask()))
	foreign = *a
	foreign.key = newAuthenticator(w).key
	refused("another key", foreign.get(ask()))
	foreign = *a
	foreign.handle = b64.EncodeToString([]byte("somebody else"))
	refused("another user's handle", foreign.get(ask()))
	refused("a passkey that nobody added", newAuthenticator(w).get(ask()))
	late := a.get(ask())
	w.clock.pass(5 * time.Minute)
	refused("an answer after five minutes", late)
	wrong := a.get(ask())
	wrong["requestId"] = nothing
	refused("no such request", wrong)
	a.signIn().want(200)

	// A request for one purpose is good for no other.
	w.cookie = cookieOf(a.signIn().want(200))
	refused("a proof as a sign-in", a.get(w.call("POST", account+"/session/proof/passkey", nil).want(200)))
	w.call("POST", account+"/session/proof", map[string]any{"passkey": a.get(ask())}).says(400, "no longer open")

	// A disabled account has no way in.
	w.cookie = cookieOf(w.password("admin", "correct horse battery").want(200))
	users := w.call("GET", account+"/users", nil).want(200)
	id := users.text(1, "id")
	if users.text(1, "name") != "eve" {
		t.Fatalf("got %s", users.body)
	}
	w.call("PATCH", account+"/users/"+id, map[string]any{"disabled": true}).want(200)
	if got := a.signIn(); got.status != 401 {
		t.Errorf("a disabled account: %d", got.status)
	}
	w.call("PATCH", account+"/users/"+id, map[string]any{"disabled": false}).want(200)

	// Too many from one address wait.
	w.cookie = ""
	for n := 0; ; n++ {
		if got := w.passkeySignIn(newAuthenticator(w).get(ask())); got.status == 503 || got.status == 429 {
			break
		} else if got.status != 401 || n > 40 {
			t.Fatalf("attempt %d: %d %s", n, got.status, got.body)
		}
	}
}

func TestACopiedPasskeyIsRefused(t *testing.T) {
	w := newWorld(t)
	w.person("eve", "a long enough one")
	a := newAuthenticator(w)
	a.add("Laptop").want(201)
	w.cookie = ""
	copied := *a
	a.signIn().want(200)
	a.signIn().want(200)
	copied.signIn().says(401, "may have been copied")
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": "correct horse battery"}).want(200).text("access_token")
	if got := w.call("GET", account+"/Audit?act=passkey.copied", nil).want(200).get("results").([]any); len(got) != 1 {
		t.Errorf("%d in the audit chain", len(got))
	}
	w.bearer = ""
	// Keys that don't count say 0 each time.
	w.person("mallory", "a long enough one")
	still := newAuthenticator(w)
	still.add("Phone").want(201)
	for range 2 {
		still.count = ^uint32(0) // get adds one
		still.signIn().want(200)
	}
}

func TestAPasskeyIsItsOwners(t *testing.T) {
	w := newWorld(t)
	w.person("eve", "a long enough one")
	a := newAuthenticator(w)
	id := a.add("Laptop").want(201).text("id")
	eve := w.cookie
	w.person("mallory", "a long enough one")
	w.call("PATCH", passkeysAt+"/"+id, map[string]any{"name": "mine"}).want(404)
	w.call("DELETE", passkeysAt+"/"+id, nil).want(404)
	a.add("stolen").says(409, "in use already")
	newAuthenticator(w).add("Phone").want(201)
	// Eve's passkey proves nothing of mallory's, whoever was asked.
	w.call("POST", account+"/session/proof", map[string]any{"passkey": a.get(w.call("POST", account+"/session/proof/passkey", nil).want(200))}).says(400, "refused")
	// A request of mallory's makes no passkey of eve's.
	asked := w.call("POST", passkeysAt+"/request", nil).want(200)
	w.cookie = eve
	w.call("POST", passkeysAt, newAuthenticator(w).make(asked)).says(409, "no longer open")
	b := newAuthenticator(w)
	b.origin = "https://evil.example"
	b.add("foreign").says(400, "refused")
	b = newAuthenticator(w)
	b.flags = passkeyPresent
	b.add("without a PIN").says(400, "refused")
	if got := w.call("GET", passkeysAt, nil).want(200).get().([]any); len(got) != 1 {
		t.Errorf("%d passkeys", len(got))
	}
	// Programs have none.
	w.bearer = w.call("POST", "/v8/token", map[string]any{"grant_type": "password", "username": "admin", "password": "correct horse battery"}).want(200).text("access_token")
	w.call("POST", passkeysAt+"/request", nil).says(409, "in a browser")
}

func TestAPasskeyProvesWhoIsThere(t *testing.T) {
	w := newWorld(t)
	const password = "a long enough one"
	w.person("eve", password)
	a := newAuthenticator(w)
	id := a.add("Laptop").want(201).text("id")
	old := func() {
		for range 2 {
			w.clock.pass(5 * time.Minute)
			w.call("GET", account+"/session", nil).want(200)
		}
	}
	old()
	if ways := w.call("DELETE", passkeysAt+"/"+id, nil).want(403).get("proofNeeded").([]any); !slices.Equal(ways, []any{"passkey"}) {
		t.Errorf("got %v", ways)
	}
	w.call("POST", account+"/session/proof", map[string]any{"password": password}).says(400, "passkey")
	prove := func() *reply {
		return w.call("POST", account+"/session/proof", map[string]any{"passkey": a.get(w.call("POST", account+"/session/proof/passkey", nil).want(200))})
	}
	prove().want(204)
	// With codes too, both ways are offered.
	secret := w.call("POST", account+"/users/me/totp", nil).want(200).text("secret")
	code, err := totp.GenerateCode(secret, w.clock.Now())
	w.must(err)
	w.call("PUT", account+"/users/me/totp", map[string]any{"code": code}).want(200)
	old()
	asked := w.call("DELETE", account+"/users/me/totp", nil).want(403)
	if ways, instead := asked.get("proofNeeded").([]any), asked.get("proofInstead").([]any); !slices.Equal(ways, []any{"password", "totp"}) || !slices.Equal(instead, []any{"passkey"}) {
		t.Errorf("got %v, %v", ways, instead)
	}
	prove().want(204)
	// Codes go, the passkey and its recovery codes stay.
	w.call("DELETE", account+"/users/me/totp", nil).want(204)
	w.cookie = cookieOf(a.signIn().want(200))
	if left := w.call("GET", account+"/users/me", nil).want(200).get("recoveryCodesLeft").(float64); left != 10 {
		t.Errorf("%v recovery codes", left)
	}
	w.call("DELETE", passkeysAt+"/"+id, nil).want(204)
	if left := w.call("GET", account+"/users/me", nil).want(200).get("recoveryCodesLeft").(float64); left != 0 {
		t.Errorf("%v recovery codes without a second factor", left)
	}
	if got := a.signIn(); got.status != 401 {
		t.Errorf("a passkey that was removed: %d", got.status)
	}
	w.cookie = ""
	w.password("eve", password).want(200)
}

func TestAnOwnerTakesLostPasskeysAway(t *testing.T) {
	w := newWorld(t)
	w.person("eve", "a long enough one")
	a := newAuthenticator(w)
	a.add("Laptop").want(201)
	w.cookie = cookieOf(w.password("admin", "correct horse battery").want(200))
	users := w.call("GET", account+"/users", nil).want(200)
	if !users.get(1, "secondFactor").(bool) {
		t.Errorf("got %s", users.body)
	}
	w.call("DELETE", account+"/users/"+users.text(1, "id")+"/totp", nil).want(204)
	w.cookie = ""
	if got := a.signIn(); got.status != 401 {
		t.Errorf("got %d", got.status)
	}
	w.password("eve", "a long enough one").want(200)
}
