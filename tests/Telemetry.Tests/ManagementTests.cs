using System.Net;

namespace Detection.Telemetry.Tests;

public sealed class ManagementTests(WatchedCluster cluster)
{
    [Theory]
    [InlineData("/metrics")]
    [InlineData("/status")]
    [InlineData("/status/js/main.js")]
    [InlineData("/v1/status")]
    [InlineData("/v1/admin/dead-letters")]
    public async Task Management_is_served_only_at_its_separate_address(string path)
    {
        Assert.Equal(HttpStatusCode.OK, await cluster.Management.StatusAsync(path));
        Assert.Equal(HttpStatusCode.NotFound, await cluster.Frontend.Http.StatusAsync(path));
    }

    [Theory]
    [InlineData("/v1/models")]
    [InlineData("/")]
    [InlineData("/openapi/v1.json")]
    public async Task Api_is_not_found_at_the_management_address(string path)
    {
        Assert.Equal(HttpStatusCode.OK, await cluster.Frontend.Http.StatusAsync(path));
        Assert.Equal(HttpStatusCode.NotFound, await cluster.Management.StatusAsync(path));
    }

    [Fact]
    public async Task Host_header_does_not_open_the_management_paths()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/metrics", UriKind.Relative));
        request.Headers.Host = cluster.Management.BaseAddress!.Authority;
        using var response = await cluster.Frontend.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Probes_are_answered_on_both()
    {
        Assert.Equal(HttpStatusCode.OK, await cluster.Management.StatusAsync("/health/ready"));
        Assert.Equal(HttpStatusCode.OK, await cluster.Frontend.Http.StatusAsync("/health/ready"));
    }

    [Fact]
    public async Task The_dashboard_of_Orleans_answers_where_it_is_turned_on()
    {
        Assert.Contains("<html", await cluster.Silo.Http.TextAsync("/dashboard/"), StringComparison.OrdinalIgnoreCase);
        await Eventually.Async(
            async limit => (await cluster.Silo.Http.GetStringAsync(new Uri("/dashboard/DashboardCounters", UriKind.Relative), limit))
                .Contains("hosts", StringComparison.OrdinalIgnoreCase),
            TimeSpan.FromSeconds(20),
            "it has counters");
        Assert.Equal(HttpStatusCode.NotFound, await cluster.Management.StatusAsync("/dashboard"));
    }
}
