using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Detection.Inference.Pulling;

/// <summary>
/// A file in a repository of the Hugging Face Hub: <c>hf:OWNER/REPO[@REVISION][/FILE]</c>. The revision is resolved to its commit first, so that all
/// files are of one state. The API is that of https://huggingface.co/docs/hub/api.
/// </summary>
internal sealed partial class HuggingFaceSource : PullSource
{
    /// <summary>A page of the tree has 1,000 files.</summary>
    private const int MaxPages = 20;

    private const int MaxPageBytes = 8 * 1024 * 1024;
    private const int MaxShown = 10;

    /// <summary>Where repositories of exports have the graph of full precision, when there are several.</summary>
    private static readonly string[] UsualGraphs = ["onnx/model.onnx", "model.onnx"];

    private readonly string _repository;
    private readonly string _revision;
    private readonly string? _file;

    public HuggingFaceSource(string text)
        : base(text)
    {
        var parts = Form().Match(text);
        if (!parts.Success)
        {
            throw Unreadable(text);
        }

        _repository = parts.Groups["repository"].Value;
        _revision = parts.Groups["revision"] is { Success: true, Value: var revision } ? Uri.UnescapeDataString(revision) : "main";
        _file = parts.Groups["file"] is { Success: true, Value: var file } ? file : null;
    }

    private protected override IEnumerable<string> Names => [_repository.Split('/')[1]];

    internal override Uri ServerOf(PullOptions options) => new(options.HuggingFace.AbsoluteUri.TrimEnd('/') + "/");

    internal override async Task<RemoteModel> FindAsync(PullHttp http, string? token, string? revision, CancellationToken cancellationToken)
    {
        var hub = ServerOf(http.Options);
        var credential = PullCredential.Of(hub, token);
        var api = $"api/models/{_repository}";
        var commit = (await ReadAsync(http, new Uri(hub, $"{api}/revision/{Uri.EscapeDataString(revision ?? _revision)}"), credential, HubJson.Default.HubRevision, cancellationToken)).Value.Sha;
        var files = await ReadTreeAsync(http, new Uri(hub, $"{api}/tree/{Uri.EscapeDataString(commit)}?recursive=true"), credential, cancellationToken);
        var graph = Choose(files);

        RemoteFile Remote(HubFile file, string name) => new(
            name,
            new Uri(hub, $"{_repository}/resolve/{commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}"),
            credential,
            file.Lfs is { } lfs ? new FileDigest(lfs.Oid) : new FileDigest(file.Oid, IsGitBlob: true),
            file.Size);

        var folder = graph.Path[..(graph.Path.LastIndexOf('/') + 1)];
        async Task<JsonObject?> Config(string name) =>
            (files.GetValueOrDefault(folder + name) ?? files.GetValueOrDefault(name)) is { } file ? await ReadConfigAsync(http, Remote(file, name), cancellationToken) : null;

        return new RemoteModel(
            commit,
            Remote(graph, PullPlace.GraphName),
            name => files.TryGetValue(folder + name, out var weights) ? Remote(weights, name) : null,
            HuggingFaceManifest.Of(await Config("config.json"), await Config("preprocessor_config.json")));
    }

    private HubFile Choose(Dictionary<string, HubFile> files)
    {
        if (_file is not null)
        {
            return files.GetValueOrDefault(_file) ?? throw new PullException($"The repository {_repository} has no file {_file} at {_revision}.");
        }

        var graphs = files.Keys.Where(static path => path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToList();
        var path = graphs.Count == 1 ? graphs[0] : UsualGraphs.FirstOrDefault(graphs.Contains);
        return path is not null ? files[path] : throw new PullException(
            graphs.Count == 0 ? $"The repository {_repository} has no ONNX file at {_revision}. Export the model, or use a repository that has one."
            : $"The repository {_repository} has {graphs.Count} ONNX files. Name one, as hf:{_repository}/{graphs[0]}: {string.Join(", ", graphs.Take(MaxShown))}{(graphs.Count > MaxShown ? ", …" : "")}.");
    }

    private static async Task<Dictionary<string, HubFile>> ReadTreeAsync(PullHttp http, Uri url, PullCredential? credential, CancellationToken cancellationToken)
    {
        Dictionary<string, HubFile> files = new(StringComparer.Ordinal);
        for (var (next, page) = ((Uri?)url, 0); next is not null; page++)
        {
            if (page == MaxPages)
            {
                throw new PullException($"The repository has more files than {MaxPages} pages of a list hold. Use the https address of the file.");
            }

            var (entries, links) = await ReadAsync(http, next, credential, HubJson.Default.HubFileArray, cancellationToken);
            foreach (var file in entries.Where(static entry => entry.Type == "file"))
            {
                files[file.Path] = file;
            }

            next = NextPage().Match(links) is { Success: true } match ? new Uri(next, match.Groups[1].Value) : null;
        }

        return files;
    }

    private static async Task<(T Value, string Links)> ReadAsync<T>(
        PullHttp http, Uri url, PullCredential? credential, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var (body, headers) = await http.ReadAsync(url, credential, "application/json", MaxPageBytes, cancellationToken);
        try
        {
            var value = JsonSerializer.Deserialize(body, type) ?? throw new JsonException("It is null.");
            return (value, headers.TryGetValues("Link", out var links) ? string.Join(", ", links) : "");
        }
        catch (JsonException e)
        {
            throw new PullException($"{PullHttp.NameOf(url)} answers {url.AbsolutePath} with another document than the API of the Hub has: {e.Message}", e);
        }
    }

    private static async Task<JsonObject?> ReadConfigAsync(PullHttp http, RemoteFile file, CancellationToken cancellationToken)
    {
        var (body, _) = await http.ReadAsync(file.Url, file.Credential, "*/*", MaxPageBytes, cancellationToken);
        if (!file.Digest!.Matches(body))
        {
            throw new PullException($"{file.Name} of {PullHttp.NameOf(file.Url)} is not the file that the list of the repository names.") { MayPass = true };
        }

        try
        {
            return JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            // Some have NaN or comments. The model may work without it, and inspection says what is missing.
            return null;
        }
    }

    [GeneratedRegex(@"\Ahf:(?<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?<revision>[\w.%-]+))?(/(?<file>[^?#\\]+))?\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();

    [GeneratedRegex("<([^>]+)>; *rel=\"next\"")]
    private static partial Regex NextPage();
}

/// <summary>A revision of a repository.</summary>
internal sealed record HubRevision([property: JsonRequired] string Sha);

/// <summary>An entry of a repository.</summary>
/// <param name="Type">file or directory.</param>
/// <param name="Path">Its path.</param>
/// <param name="Oid">Its git hash.</param>
/// <param name="Size">Its length, not that of its pointer.</param>
/// <param name="Lfs">For a file of Git LFS.</param>
internal sealed record HubFile([property: JsonRequired] string Type, [property: JsonRequired] string Path, [property: JsonRequired] string Oid, long Size, HubLfs? Lfs);

/// <summary>A file of Git LFS.</summary>
/// <param name="Oid">Its SHA-256.</param>
internal sealed record HubLfs([property: JsonRequired] string Oid);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(HubRevision))]
[JsonSerializable(typeof(HubFile[]))]
internal sealed partial class HubJson : JsonSerializerContext;
