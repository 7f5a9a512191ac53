namespace Detection.Hosting.Management;

/// <summary>The listener for those who run the service.</summary>
internal static class ManagementAddress
{
    /// <summary>The port of an address as ASP.NET Core writes it (<c>http://*:9090</c>); <see langword="null"/> when it is none.</summary>
    public static int? Port(string url)
    {
        try
        {
            return BindingAddress.Parse(url) is { Port: > 0 } address ? address.Port : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Lets the server listen there too, besides where it listens anyway.</summary>
    public static void Add(WebApplicationBuilder builder, string url)
    {
        var configuration = builder.Configuration;
        if (configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            // These take the place of all URLs.
            configuration["Kestrel:Endpoints:Management:Url"] = url;
            return;
        }

        string[] urls = string.IsNullOrEmpty(configuration["urls"])
            ? [.. Ports("http"), .. Ports("https")]
            : configuration["urls"]!.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        builder.WebHost.UseUrls([.. urls, url]);

        IEnumerable<string> Ports(string scheme) =>
            (configuration[$"{scheme}_ports"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(port => $"{scheme}://*:{port}");
    }
}
