package catalogue

// entraRows are refusals of Entra: the OAuth error field, the status and what was sent decide, the number
// chooses the advice.
func entraRows() []Row {
	var out []Row
	for _, r := range []struct {
		n       int
		field   string
		numbers []int
		says    string
	}{
		{1, "invalid_client", []int{7000215}, "Invalid client secret provided."},
		{2, "invalid_client", []int{7000222}, "The provided client secret keys are expired."},
		{3, "invalid_client", []int{70002}, "The client_secret does not match."},
		{4, "unauthorized_client", []int{700016}, "Application was not found in the directory."},
		{5, "unauthorized_client", []int{700011}, "Application does not exist in the tenant."},
		{6, "invalid_client", []int{7000229}, "The client application is missing service principal in the tenant."},
		{7, "invalid_client", []int{700025}, "Client is public so neither client_assertion nor client_secret should be presented."},
		{8, "invalid_client", []int{7000218}, "The request body must contain client_assertion or client_secret."},
		{9, "invalid_client", []int{700027}, "The certificate with identifier used to sign the client assertion is not registered."},
		{10, "invalid_client", []int{700024}, "Client assertion is not within its valid time range."},
		{11, "invalid_client", []int{50012}, "Authentication failed: the certificate chain is refused."},
		{12, "invalid_client", []int{700030}, "The certificate subject is not authorized."},
		{13, "invalid_client", []int{70021, 700213, 7002138}, "No matching federated identity record found."},
		{14, "invalid_client", []int{700229}, "Only app tokens can be used as federated credentials."},
		{15, "invalid_tenant", []int{90002}, "Tenant not found."},
		{16, "invalid_request", []int{900382, 900432, 90038}, "Confidential client is not supported in cross cloud request."},
		{17, "invalid_request", []int{9001023, 90130, 50194}, "Not supported over the /common or /consumers endpoints."},
		{18, "invalid_request", []int{50059, 90019, 50128}, "No tenant-identifying information found."},
		{19, "invalid_resource", []int{500011, 50001}, "The resource principal was not found in the tenant."},
		{20, "invalid_scope", []int{70011, 28002, 700022, 700023}, "The scope is not valid."},
		{21, "invalid_grant", []int{65001, 90094, 90008}, "The user or administrator has not consented to use the application."},
		{22, "invalid_client", []int{650056, 650057, 65005}, "Misconfigured application: the permission is not listed."},
		{23, "invalid_client", []int{650052}, "The organization lacks a service principal for the service, or has not subscribed to it."},
		{24, "unauthorized_client", []int{7000112, 70001, 1000031}, "Application is disabled."},
		{25, "invalid_grant", []int{50105, 501051}, "The application is not assigned to a role."},
		{26, "invalid_grant", []int{53003, 530032, 50131}, "Access has been blocked by Conditional Access policies."},
		{27, "invalid_grant", []int{530035}, "Access has been blocked by security defaults."},
		{28, "invalid_grant", []int{53000, 53001, 50005}, "Device is not compliant."},
		{29, "invalid_grant", []int{50034, 51004}, "The user account does not exist in the directory."},
		{30, "interaction_required", []int{50076, 50079, 50074, 50078}, "Multi-factor authentication is required."},
		{31, "invalid_grant", []int{50173, 50133, 50132}, "The provided grant has expired due to it being revoked."},
		{32, "invalid_grant", []int{700082, 70008, 70043, 50089}, "The refresh token has expired due to inactivity."},
		{33, "invalid_grant", []int{50053, 50057, 50055, 50126}, "The account is locked."},
		{34, "temporarily_unavailable", []int{50196}, "The server terminated an operation because it encountered a loop."},
		{35, "temporarily_unavailable", []int{90055}, "The tenant is throttled: too many requests."},
		{36, "temporarily_unavailable", []int{90033, 90006, 90012, 90024, 50033, 90090}, "A transient error has occurred."},
		{37, "server_error", []int{90036, 50000}, "An unexpected, non-retryable error occurred."},
		{38, "invalid_request", []int{900144, 90014, 9002313, 900561}, "Invalid request. Request is malformed or invalid."},
	} {
		for _, number := range r.numbers {
			out = append(out, aadsts(r.n, r.field, number, r.says))
		}
	}
	return out
}
