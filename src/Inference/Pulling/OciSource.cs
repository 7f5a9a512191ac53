using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Detection.Inference.Pulling;

/// <summary>
/// An artifact of an OCI registry, as <c>oras push</c> makes it: <c>oci://REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST]</c>. Its layers are files, named by
/// their titles. The protocol is https://github.com/opencontainers/distribution-spec/blob/main/spec.md; a public or private registry gives a token for
/// reading as https://distribution.github.io/distribution/spec/auth/token says.
/// </summary>
internal sealed partial class OciSource : PullSource
{
    private const int MaxManifestBytes = 4 * 1024 * 1024;
    private const string Accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.artifact.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

    private readonly Uri _registry;
    private readonly string _repository;
    private readonly string _reference;

    public OciSource(string text)
        : base(text)
    {
        var parts = Form().Match(text);
        if (!parts.Success || !Uri.TryCreate($"https://{parts.Groups["registry"].Value}/", UriKind.Absolute, out var registry))
        {
            throw Unreadable(text);
        }

        // As other clients do: registries on this machine have no certificate.
        _registry = registry.IsLoopback ? new Uri($"http://{parts.Groups["registry"].Value}/") : registry.IdnHost is "docker.io" ? new Uri("https://registry-1.docker.io/") : registry;
        _repository = parts.Groups["repository"].Value;
        _reference = parts.Groups["digest"] is { Success: true, Value: var digest } ? digest : parts.Groups["tag"] is { Success: true, Value: var tag } ? tag : "latest";
    }

    private protected override IEnumerable<string> Names => [_repository.Split('/')[^1]];

    internal override Uri ServerOf(PullOptions options) => _registry;

    internal override async Task<RemoteModel> FindAsync(PullHttp http, string? token, string? revision, CancellationToken cancellationToken)
    {
        var reference = revision ?? _reference;
        var url = new Uri(_registry, $"v2/{_repository}/manifests/{reference}");
        var credential = await SignInAsync(http, url, token, cancellationToken);
        var (body, _) = await http.ReadAsync(url, credential, Accept, MaxManifestBytes, cancellationToken);
        var digest = "sha256:" + FileDigest.OfBytes(body);
        if (reference.StartsWith("sha256:", StringComparison.Ordinal) && reference != digest)
        {
            throw new PullException($"{PullHttp.NameOf(url)} answers with the manifest {digest}, and {reference} is expected.");
        }

        var layers = Read(url, body);
        RemoteFile Remote(OciLayer layer, string name) => new(
            name, new Uri(_registry, $"v2/{_repository}/blobs/{layer.Digest}"), credential, new FileDigest(layer.Digest["sha256:".Length..]), layer.Size);

        var graph = Choose(layers);
        var manifest = layers.Find(static layer => layer.NameOrEmpty == PullPlace.ManifestName);
        return new RemoteModel(
            digest,
            Remote(graph, PullPlace.GraphName),
            name => layers.Find(layer => layer.NameOrEmpty == name) is { } weights ? Remote(weights, name) : null,
            manifest is null ? null : await ReadManifestAsync(http, Remote(manifest, PullPlace.ManifestName), cancellationToken));
    }

    private OciLayer Choose(List<OciLayer> layers)
    {
        var graphs = layers.FindAll(static layer => layer.NameOrEmpty.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase));
        return graphs is [var one] ? one
            : graphs.Find(static layer => layer.NameOrEmpty == PullPlace.GraphName) is { } usual ? usual
            : layers is [{ NameOrEmpty: "" } only] ? only
            : throw new PullException($"The artifact {_repository} has {graphs.Count} ONNX files among {layers.Count} layers; one of them, or one called {PullPlace.GraphName}, is needed.");
    }

    private static List<OciLayer> Read(Uri url, byte[] body)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(body, OciJson.Default.OciManifest);
            List<OciLayer> layers = [.. manifest?.Layers ?? manifest?.Blobs ?? []];
            return layers.TrueForAll(static layer => Digest().IsMatch(layer.Digest)) ? layers : throw new JsonException("A digest is not a SHA-256.");
        }
        catch (JsonException e)
        {
            throw new PullException($"{PullHttp.NameOf(url)} answers with a manifest that cannot be read: {e.Message}", e);
        }
    }

    private static async Task<System.Text.Json.Nodes.JsonObject?> ReadManifestAsync(PullHttp http, RemoteFile file, CancellationToken cancellationToken)
    {
        var (body, _) = await http.ReadAsync(file.Url, file.Credential, "*/*", MaxManifestBytes, cancellationToken);
        try
        {
            return file.Digest!.Matches(body) ? System.Text.Json.Nodes.JsonNode.Parse(body) as System.Text.Json.Nodes.JsonObject : throw new PullException($"{file.Name} does not have the digest of the artifact.") { MayPass = true };
        }
        catch (JsonException e)
        {
            throw new PullException($"{file.Name} of the artifact is not JSON: {e.Message}", e);
        }
    }

    /// <summary>The proof that the registry asks for; <see langword="null"/> when it asks for none.</summary>
    private async Task<PullCredential?> SignInAsync(PullHttp http, Uri url, string? token, CancellationToken cancellationToken)
    {
        using var response = await http.SendAsync(url, null, static request => request.Headers.TryAddWithoutValidation("Accept", Accept), cancellationToken);
        if ((int)response.StatusCode != 401)
        {
            return null;
        }

        var challenge = response.Headers.WwwAuthenticate.FirstOrDefault(static header => header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase));
        var parts = Parameter().Matches(challenge?.Parameter ?? "").ToDictionary(static match => match.Groups[1].Value, static match => match.Groups[2].Value, StringComparer.OrdinalIgnoreCase);
        if (!parts.TryGetValue("realm", out var text) || !Uri.TryCreate(text, UriKind.Absolute, out var realm) || (realm.Scheme != Uri.UriSchemeHttps && !realm.IsLoopback))
        {
            return PullCredential.Of(_registry, token);
        }

        // The token service may be another server, which gets no credential of the registry; one of its own can be set.
        var query = $"?service={Uri.EscapeDataString(parts.GetValueOrDefault("service", ""))}&scope={Uri.EscapeDataString($"repository:{_repository}:pull")}";
        var service = new Uri(realm.GetLeftPart(UriPartial.Path) + query);
        var own = service.Authority == _registry.Authority ? token : http.Options.TokenFor(service);
        var (body, _) = await http.ReadAsync(service, PullCredential.Of(service, own), "application/json", MaxManifestBytes, cancellationToken);
        try
        {
            var answer = JsonSerializer.Deserialize(body, OciJson.Default.OciToken);
            return (answer?.Token ?? answer?.AccessToken) is { } given ? new PullCredential(_registry, request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", given)) : null;
        }
        catch (JsonException e)
        {
            throw new PullException($"{PullHttp.NameOf(service)} answers without a token: {e.Message}", e);
        }
    }

    [GeneratedRegex(@"\Aoci://(?<registry>[A-Za-z0-9.-]+(:[0-9]+)?)/(?<repository>[a-z0-9]+([._/-]+[a-z0-9]+)*)(:(?<tag>\w[\w.-]{0,127}))?(@(?<digest>sha256:[0-9a-f]{64}))?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex Digest();

    [GeneratedRegex("(\\w+)=\"([^\"]*)\"")]
    private static partial Regex Parameter();
}

/// <summary>A manifest.</summary>
internal sealed record OciManifest(OciLayer[]? Layers, OciLayer[]? Blobs);

/// <summary>A file.</summary>
internal sealed record OciLayer([property: JsonRequired] string Digest, long Size, Dictionary<string, string>? Annotations)
{
    /// <summary>Its name.</summary>
    public string NameOrEmpty => Annotations?.GetValueOrDefault("org.opencontainers.image.title") ?? "";
}

/// <summary>A token for reading.</summary>
internal sealed record OciToken(string? Token, [property: JsonPropertyName("access_token")] string? AccessToken);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(OciToken))]
internal sealed partial class OciJson : JsonSerializerContext;
