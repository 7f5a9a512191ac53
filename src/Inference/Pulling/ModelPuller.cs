using System.Text;
using Detection.Inference.Graphs;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;

namespace Detection.Inference.Pulling;

/// <summary>A model that is wanted.</summary>
/// <param name="Name">Its name in the folder of models.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Sha256">SHA-256 of its graph, 64 hex digits; <see langword="null"/> for whatever the source has.</param>
/// <param name="Token">Token for the source's server; <see langword="null"/> for none.</param>
/// <param name="Revision">The state of the source, as <see cref="PulledModel.Revision"/>; <see langword="null"/> for the one that the source names.</param>
public sealed record PullOrder(string Name, PullSource Source, string? Sha256 = null, string? Token = null, string? Revision = null)
{
    /// <summary>Whether what was pulled is what is wanted, without a question to the source.</summary>
    public bool IsMetBy(PulledModel pulled)
    {
        ArgumentNullException.ThrowIfNull(pulled);
        return pulled.Source == Source.Shown && (Sha256 is null || Sha256.Equals(pulled.Sha256, StringComparison.OrdinalIgnoreCase)) && (Revision is null || Revision == pulled.Revision);
    }

    /// <summary>Refuses what cannot be pulled, before the source is asked.</summary>
    /// <exception cref="PullException">The order cannot be done; the message says what to correct.</exception>
    public void Check()
    {
        if (!ModelFile.IsName(Name))
        {
            throw new PullException($"'{Name}' cannot be the name of a model. Use letters, digits, '.', '_' and '-', 64 at most.");
        }

        if (Sha256 is { } text && !FileDigest.IsSha256(text))
        {
            throw new PullException($"'{text}' is not a SHA-256. Use 64 hex digits.");
        }

        if (Sha256 is null && Source.NeedsSha256)
        {
            throw new PullException($"{Source.Shown} is read without TLS. Add the SHA-256 of the file, or use https.");
        }
    }

    /// <summary>Without the token.</summary>
    public override string ToString() => $"{Name} from {Source.Shown}";
}

/// <summary>
/// Pulls models into a folder of models: the graph, the weights that it names, and what the source says for the manifest. A model is there as a whole
/// or not at all, and a pull that was interrupted continues where it was.
/// </summary>
public sealed class ModelPuller : IDisposable
{
    private readonly string _directory;
    private readonly PullOptions _options;
    private readonly HttpMessageInvoker _invoker;
    private readonly TimeProvider _time;
    private readonly PullHttp _http;

    /// <param name="directory">The folder of models; it is created if it is not there.</param>
    /// <param name="options">Limits.</param>
    /// <param name="handler">Sends requests. It must not follow redirects, decompress, or keep cookies or credentials. It is not disposed.</param>
    /// <param name="time">The clock.</param>
    public ModelPuller(string directory, PullOptions options, HttpMessageHandler handler, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(options);
        (_directory, _options, _time) = (Path.GetFullPath(directory), options, time);
        _invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        _http = new PullHttp(_invoker, options, time);
    }

    /// <summary>What was pulled under a name and is still there; <see langword="null"/> for nothing.</summary>
    public PulledModel? Find(string name) => PullPlace.Find(_directory, name);

    /// <summary>Pulls a model, unless the same is there already.</summary>
    /// <param name="order">The model.</param>
    /// <param name="progress">Learns how far the pull is; called often.</param>
    /// <param name="cancellationToken">Gives up. What has arrived stays for the next pull.</param>
    /// <exception cref="PullException">It could not be pulled; the message says why.</exception>
    public async Task<PulledModel> PullAsync(PullOrder order, Action<PullProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        order.Check();
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await PullWithinAsync(order, progress ?? (static _ => { }), ended.Token);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new PullException($"{order.Name} did not arrive within {_options.Timeout}. Pull again: what has arrived is kept.", e) { MayPass = true };
        }
        catch (Exception e) when (PullException.OfFiles(e, _directory) is { } fault)
        {
            throw fault;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _invoker.Dispose();

    private async Task<PulledModel> PullWithinAsync(PullOrder order, Action<PullProgress> progress, CancellationToken cancellationToken)
    {
        var sha256 = order.Sha256?.ToLowerInvariant();
        using var place = PullPlace.Open(_directory, order.Name);
        var there = Find(order.Name) is { } pulled && order.IsMetBy(pulled) ? pulled : null;
        if (there is not null && sha256 is not null)
        {
            return there;
        }

        var remote = await order.Source.FindAsync(_http, order.Token, order.Revision, cancellationToken);
        if (there?.Revision is not null && remote.Revision == there.Revision)
        {
            return there;
        }

        var graph = Expect(remote.Graph, sha256);
        place.Begin($"{order.Source.Shown}\n{remote.Revision}\n{graph.Digest?.Hex}");
        List<PulledFile> files = [];
        await GetAsync(graph, place, files, progress, cancellationToken);
        foreach (var location in NamedWeights(place.PartOf(graph.Name), graph))
        {
            var weights = PullPlace.IsWeightsName(location) ? remote.FindWeights(location) : null;
            await GetAsync(
                weights ?? throw new PullException($"The graph has weights in \"{location}\", which {order.Source.Shown} does not have."), place, files, progress, cancellationToken);
        }

        var mayReplace = await place.MayWriteManifestAsync(cancellationToken);
        if (remote.Manifest is { } manifest && mayReplace)
        {
            place.Write(PullPlace.ManifestName, Encoding.UTF8.GetBytes(ManifestWriter.ToText(manifest)));
            files.Add(await FileOfAsync(PullPlace.ManifestName, place, cancellationToken));
        }

        var model = new PulledModel(order.Source.Shown, remote.Revision, files[0].Sha256, files);
        place.Install(model, mayReplace);
        return model;
    }

    private async Task GetAsync(RemoteFile file, PullPlace place, List<PulledFile> files, Action<PullProgress> progress, CancellationToken cancellationToken)
    {
        var before = files.Sum(static file => file.Length);
        await new FileDownload(file, place.PartOf(file.Name), _options, _time).RunAsync(
            _http, _options.MaxBytes - before, (bytes, total) => progress(new PullProgress(file.Name, before + bytes, before + total)), cancellationToken);
        files.Add(await FileOfAsync(file.Name, place, cancellationToken));
    }

    private static async Task<PulledFile> FileOfAsync(string name, PullPlace place, CancellationToken cancellationToken)
    {
        var part = place.PartOf(name);
        return new PulledFile(name, new FileInfo(part).Length, await FileDigest.OfFileAsync(part, cancellationToken));
    }

    private static RemoteFile Expect(RemoteFile graph, string? sha256) => sha256 switch
    {
        null => graph,
        _ when graph.Digest is { IsGitBlob: false } digest && digest.Hex != sha256 =>
            throw new PullException($"The file at the source has the SHA-256 {digest.Hex}, and {sha256} is expected. Nothing was pulled."),
        _ => graph with { Digest = new FileDigest(sha256) },
    };

    /// <summary>Names of the files beside the graph in which it has weights.</summary>
    private static IReadOnlyList<string> NamedWeights(string part, RemoteFile graph)
    {
        try
        {
            return [.. OnnxReader.ExternalFiles(part)];
        }
        catch (InvalidDataException e)
        {
            File.Delete(part);
            throw new PullException($"{PullHttp.NameOf(graph.Url)} sent a file that is not an ONNX model: {e.Message}", e);
        }
    }
}
