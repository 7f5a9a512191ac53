using System.Net;
using System.Text;

namespace Detection.Frontend.Tests.Protocols.Legacy;

public sealed class LegacyHttpTests(OneProcess frontend)
{
    private static readonly byte[] Photo = File.ReadAllBytes(TestPictures.Path("astronaut.png"));

    [Fact]
    public async Task Legacy_detector_answers_the_annotated_picture_in_base64()
    {
        var expected = await AnnotatedAsync(Photo);
        var url = frontend.Pictures.Url("legacy.png", Photo);
        var base64 = Convert.ToBase64String(Photo, Base64FormattingOptions.InsertLineBreaks);

        // The encoding of a MultiValueMap by Spring's RestTemplate.
        var byCode = await PostTextAsync(Encoded("imageBase64Code=" + Uri.EscapeDataString(base64)));
        var byCarelessCode = await PostTextAsync(Encoded("imageLink=&imageBase64Code=" + Convert.ToBase64String(Photo)));
        var byLink = await PostTextAsync(Encoded("imageLink=" + Uri.EscapeDataString(url.ToString())));
        var byForm = await PostTextAsync(new MultipartFormDataContent { { new StringContent(base64), "imageBase64Code" } });

        Assert.Equal(expected, Convert.FromBase64String(byCode));
        Assert.Equal(byCode, byCarelessCode);
        Assert.Equal(byCode, byLink);
        Assert.Equal(byCode, byForm);
    }

    [Theory]
    [InlineData("/detectImage")]
    [InlineData("/detectOutWithCache")]
    public async Task The_pages_show_the_annotated_picture(string path)
    {
        var expected = $"src=\"data:image/jpeg;base64,{Convert.ToBase64String(await AnnotatedAsync(Photo))}\"";
        var url = frontend.Pictures.Url("legacy.png", Photo).ToString();

        // The form of the page also has a file field; a browser sends it empty when no file was chosen.
        using var none = new MultipartFormDataContent { { new StringContent(url), "imageLink" } };
        var empty = new ByteArrayContent([]);
        empty.Headers.TryAddWithoutValidation("Content-Disposition", "form-data; name=\"imageFile\"; filename=\"\"");
        none.Add(empty);
        using var file = new MultipartFormDataContent { { new StringContent(""), "imageLink" }, { new ByteArrayContent(Photo), "imageFile", "photo.png" } };
        foreach (var form in new HttpContent[] { none, file, Encoded("imageLink=" + WebUtility.UrlEncode(url)) })
        {
            using var response = await frontend.Http.PostAsync(new Uri(path, UriKind.Relative), form);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
            Assert.Contains(expected, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Failures_are_one_sentence_with_an_error_status()
    {
        var broken = frontend.Pictures.Url("nothing<b>.png", null).ToString();

        await AssertFailureAsync("/detect/imageDetect", Encoded("imageBase64Code=%21%21"), 400, "text/plain");
        await AssertFailureAsync("/detect/imageDetect", Encoded("other=1"), 400, "text/plain");
        await AssertFailureAsync("/detect/imageDetect", Encoded("imageLink=http%3A%2F%2F169.254.169.254%2F"), 400, "text/plain");
        await AssertFailureAsync("/detect/imageDetect", Encoded("imageLink=" + WebUtility.UrlEncode(broken)), 502, "text/plain");
        await AssertFailureAsync("/detectOutWithCache", Encoded("imageLink=no+address"), 400, "text/html");
        await AssertFailureAsync("/detectImage", Asking.Form("no picture"u8.ToArray(), "imageFile"), 400, "text/html");
    }

    private async Task AssertFailureAsync(string path, HttpContent content, int status, string type)
    {
        using var response = await frontend.Http.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode} {text}");
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.NotEmpty(text);
        Assert.DoesNotContain("base64,", text, StringComparison.Ordinal);
    }

    private async Task<byte[]> AnnotatedAsync(byte[] photo)
    {
        using var response = await frontend.Http.PostAsync(Asking.Bytes(photo, "image/png"), accept: "image/jpeg");
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync();
    }

    private async Task<string> PostTextAsync(HttpContent content)
    {
        using var response = await frontend.Http.PostAsync(new Uri("/detect/imageDetect", UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        return text;
    }

    private static StringContent Encoded(string text) => new(text, Encoding.ASCII, "application/x-www-form-urlencoded");
}
