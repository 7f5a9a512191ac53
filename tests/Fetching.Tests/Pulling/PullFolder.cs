using Detection.Inference.Pulling;

namespace Detection.Fetching.Tests.Pulling;

/// <summary>A folder of models into which a test pulls as the tool does: from every host.</summary>
internal sealed class PullFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SocketsHttpHandler _handler = new() { AllowAutoRedirect = false, UseCookies = false };
    private readonly ModelPuller _puller;

    public PullFolder(PullOptions? options = null, HttpMessageHandler? handler = null)
    {
        options ??= new PullOptions();
        options.RetryDelay = TimeSpan.FromMilliseconds(10);
        _puller = new ModelPuller(_folder.Path, options, handler ?? _handler, TimeProvider.System);
    }

    public string Path => _folder.Path;

    public Task<PulledModel> PullAsync(
        string source, string? sha256 = null, string name = "pulled", string? token = null, Action<PullProgress>? progress = null, CancellationToken cancellationToken = default) =>
        _puller.PullAsync(new PullOrder(name, PullSource.Parse(source), sha256, token), progress, cancellationToken).WaitAsync(TimeSpan.FromMinutes(1), CancellationToken.None);

    public async Task<PullException> FailAsync(string source, string? sha256 = null, string name = "pulled", string? token = null) =>
        await Assert.ThrowsAsync<PullException>(() => PullAsync(source, sha256, name, token));

    public byte[] Read(string file, string name = "pulled") => File.ReadAllBytes(_folder.Of(name, file));

    /// <summary>Files of the folder, without those that lie in wait for another pull, and without locks.</summary>
    public string[] Files =>
    [
        .. Directory.GetFiles(Path, "*", SearchOption.AllDirectories).Select(file => System.IO.Path.GetRelativePath(Path, file))
            .Where(static file => !file.StartsWith(".pull", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    public string[] Parts => [.. Directory.GetFiles(System.IO.Path.Combine(Path, ".pull"), "*.part", SearchOption.AllDirectories)];

    public void Dispose()
    {
        _puller.Dispose();
        _handler.Dispose();
        _folder.Dispose();
    }
}
