namespace Detection.Hosting;

/// <summary>Where a silo answers health requests when no address is configured.</summary>
public static class HealthAddress
{
    private const int UsualPort = 8081;

    /// <summary>Takes port 8081 of the loopback address, or the next free one, so that several silos run on one machine.</summary>
    public static void UseHealthAddress(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (configuration["urls"] is not null || configuration["http_ports"] is not null || configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            return;
        }

        builder.WebHost.UseUrls($"http://localhost:{FreePort.From(UsualPort)}");
    }
}
