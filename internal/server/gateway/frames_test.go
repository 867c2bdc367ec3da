package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func zipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheCodeOfAStreamIsInItsLastMessage(t *testing.T) {
	message := frame(0, bytes.Repeat([]byte("x"), 1000))
	for reason, c := range map[string]struct {
		sent    []byte
		code    string
		between bool
	}{
		"nothing":              {nil, "", true},
		"a message":            {message, "", true},
		"half a head":          {message[:3], "", false},
		"half a message":       {message[:500], "", false},
		"an empty message":     {frame(0, nil), "", true},
		"Connect, done":        {frame(endConnect, []byte("{}")), "ok", true},
		"Connect, an error":    {frame(endConnect, []byte(`{"error":{"code":"not_found"}}`)), "not_found", true},
		"Connect, compressed":  {frame(endConnect|compressed, zipped(t, `{"error":{"code":"aborted"}}`)), "aborted", true},
		"Connect, no code":     {frame(endConnect, []byte(`{"error":{"code":"acme's own"}}`)), "", true},
		"Connect, no JSON":     {frame(endConnect, []byte(`x`)), "", true},
		"compressed, not gzip": {frame(endConnect|compressed, []byte(`x`)), "", true},
		"gRPC-web, done":       {frame(endWeb, []byte("grpc-status: 0\r\n")), "ok", true},
		"gRPC-web, an error":   {frame(endWeb, []byte("Grpc-Message: x\r\nGrpc-Status:5\r\n")), "not_found", true},
		"gRPC-web, no status":  {frame(endWeb, []byte("grpc-message: x\r\n")), "", true},
		"gRPC-web, no code":    {frame(endWeb, []byte("grpc-status: 77\r\n")), "", true},
	} {
		if c.code != "" {
			c.sent = append(bytes.Clone(message), c.sent...)
		}
		// However it is cut into reads.
		for _, size := range []int{1, 3, 5, 7, 1 << 20} {
			var f frames
			for rest := c.sent; len(rest) > 0; {
				n := min(size, len(rest))
				f.follow(rest[:n])
				rest = rest[n:]
			}
			if f.code() != c.code || f.between() != c.between {
				t.Errorf("%s, %d bytes at a time: %q, between %v", reason, size, f.code(), f.between())
			}
		}
	}
}

func TestAStreamIsOnlyEndedBetweenTwoMessages(t *testing.T) {
	broken := errors.New("connection reset")
	message := frame(0, []byte("hello"))
	end, err := json.Marshal(map[string]any{"error": map[string]string{"code": "unavailable", "message": stopMessage}})
	if err != nil {
		t.Fatal(err)
	}
	done := frame(endConnect, []byte("{}"))
	for reason, c := range map[string]struct {
		sent []byte
		ends bool
		want []byte
		err  error
	}{
		"between two messages": {message, true, append(bytes.Clone(message), frame(endConnect, end)...), nil},
		"before the first":     {nil, true, frame(endConnect, end), nil},
		"within a message":     {message[:7], true, message[:7], broken},
		"within a head":        {message[:2], true, message[:2], broken},
		"after its end":        {append(bytes.Clone(message), done...), true, append(bytes.Clone(message), done...), broken},
		"not a stream":         {message, false, message, broken},
	} {
		var told error
		s := &stream{
			resp: &http.Response{Header: http.Header{"Content-Type": {"application/connect+json"}}}, ends: c.ends, onBreak: func(err error) { told = err },
			body: io.NopCloser(io.MultiReader(iotest.OneByteReader(bytes.NewReader(c.sent)), iotest.ErrReader(broken))),
		}
		got, err := io.ReadAll(iotest.OneByteReader(s))
		if diff := cmp.Diff(string(c.want), string(got)); diff != "" || !errors.Is(err, c.err) || (told != nil) != (c.err == nil) {
			t.Errorf("%s: %v, told %v (-want +got):\n%s", reason, err, told, diff)
		}
	}
}
