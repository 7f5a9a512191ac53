using System.Text;
using System.Text.Json;

namespace Detection.Frontend.Tests.Http.Problems;

/// <summary>Failures below a protocol's path have the protocol's form, also without an endpoint.</summary>
public sealed class ProtocolFailureTests(OneProcess frontend)
{
    [Theory]
    [InlineData("GET", "/v2/repository/index", 404)]
    [InlineData("POST", "/V2/models/nanodet-g/generate", 404)]
    [InlineData("GET", "/v2/models/nanodet-g/infer", 405)]
    [InlineData("DELETE", "/v2", 405)]
    public async Task Unknown_path_of_the_Open_Inference_Protocol_is_answered_in_its_form(string method, string path, int status)
    {
        var failure = await FailureAsync(method, path, status);

        Assert.NotEmpty(failure.GetProperty("error").GetString()!);
        await frontend.Http.ReadAsync("/v2/models/nanodet-g").AnswerAsync();
    }

    [Theory]
    [InlineData("POST", "/v1/vision/face", 404)]
    [InlineData("POST", "/v1/vision/face/recognize", 404)]
    [InlineData("GET", "/v1/vision/scene", 404)]
    [InlineData("GET", "/v1/vision/detection", 405)]
    public async Task Unknown_path_of_DeepStack_is_answered_in_its_form(string method, string path, int status)
    {
        var failure = await FailureAsync(method, path, status);

        Assert.False(failure.GetProperty("success").GetBoolean());
        Assert.Equal(status, failure.GetProperty("code").GetInt32());
        Assert.NotEmpty(failure.GetProperty("error").GetString()!);
    }

    [Fact]
    public async Task Other_unknown_paths_are_problems()
    {
        await frontend.Http.ReadAsync("/v2x/models").ProblemAsync(404, "not-found");
        await frontend.Http.ReadAsync("/v1/visionary").ProblemAsync(404, "not-found");
    }

    /// <summary>A client joins an address that ends with a slash and a path that begins with one.</summary>
    [Fact]
    public async Task Path_with_two_leading_slashes_is_served()
    {
        var photo = TestPictures.Unique(7320);
        var url = frontend.Process.Url.ToString().TrimEnd('/');
        using var models = await frontend.Http.GetAsync(new Uri($"{url}//v1/models"));
        Assert.True(models.IsSuccessStatusCode);
        using var answer = await frontend.Http.PostAsync(new Uri($"{url}//v1/vision/detection"), Asking.Form(photo));
        Assert.True(answer.IsSuccessStatusCode);
        using var page = await frontend.Http.GetAsync(new Uri($"{url}///status"));
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        using var unknown = await frontend.Http.GetAsync(new Uri($"{url}//v2/nothing"));
        Assert.Contains("\"error\"", await unknown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await frontend.Http.ReadAsync("/v1//models").ProblemAsync(404, "not-found");
    }

    private async Task<JsonElement> FailureAsync(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative)) { Content = method == "POST" ? new StringContent("{}", Encoding.UTF8, "application/json") : null };
        using var response = await frontend.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return JsonDocument.Parse(text).RootElement;
    }
}
