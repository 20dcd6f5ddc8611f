import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** With an authenticator, Java's client throws for a 401 that has no WWW-Authenticate header. */
class HttpClientWithAuthenticator {
  public static void main(String[] args) throws Exception {
    var authenticator =
        new Authenticator() {
          @Override
          protected PasswordAuthentication getPasswordAuthentication() {
            return new PasswordAuthentication(args[1], args[2].toCharArray());
          }
        };
    var client = HttpClient.newBuilder().authenticator(authenticator).build();
    var refused = client.send(post(args[0] + "/api/customer_tokens", "application/json", "{}"), BodyHandlers.ofString());
    expect(401, refused.statusCode());
    var form = "application/x-www-form-urlencoded";
    var token = client.send(post(args[0] + "/oauth/token", form, "grant_type=client_credentials"), BodyHandlers.ofString());
    expect(200, token.statusCode());
  }

  static HttpRequest post(String url, String type, String body) {
    return HttpRequest.newBuilder(URI.create(url))
        .header("Content-Type", type)
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  static void expect(int expected, int status) {
    if (status != expected) throw new AssertionError("expected " + expected + ", got " + status);
  }
}
