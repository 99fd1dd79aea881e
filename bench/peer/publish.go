package main

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/centrifugal/centrifuge"
)

type publishRequest struct {
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

type publishResult struct {
	Offset uint64 `json:"offset,omitempty"`
	Epoch  string `json:"epoch,omitempty"`
}

type publishResponse struct {
	Result publishResult `json:"result"`
}

func publishHandler(node *centrifuge.Node, o options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), []byte(o.apiKey)) != 1 {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var request publishRequest
		if json.NewDecoder(r.Body).Decode(&request) != nil || request.Channel == "" || len(request.Data) == 0 {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		var kept []centrifuge.PublishOption
		if strings.HasPrefix(request.Channel, keptNamespace) {
			kept = append(kept, centrifuge.WithHistory(o.historySize, o.historyTTL))
		}
		published, err := node.Publish(request.Channel, request.Data, kept...)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(publishResponse{publishResult{published.Offset, published.Epoch}})
	})
}
