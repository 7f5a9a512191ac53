namespace Detection.Frontend.Http.Browsers;

/// <summary>The headers of answers that pages of other sites may read (CORS). Each feature adds its own.</summary>
internal sealed class ExposedHeaders
{
    public List<string> Names { get; } = [];
}
