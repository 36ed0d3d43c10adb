use super::*;

#[test]
fn wrong_spellings_are_answered_with_the_right_one() {
    let says = |format, text| check_format(format, text).unwrap_err();
    assert!(says("bytes", "500Mb").contains("`500Mi`"));
    assert!(says("bytes", "50G").contains("`50Gi`"));
    assert!(says("duration-with-unit", "10").contains("`10s`"));
    assert!(says("percent", "0.1").contains("`10%`"));
    assert!(says("percent", "150%").contains("at most"));
    assert!(says("cpu", "0.5").contains("500m"));
    assert!(says("day", "2027-02-29").contains("2027-06-30"));
    assert!(says("duration-with-unit", "5s1h").contains("90d"));
    assert!(says("bytes", "0Gi").contains("more than nothing"));
    assert!(says("bytes", "1025Ti").contains("at most `1024Ti`"));
    assert!(says("duration-with-unit", "3651d").contains("at most `3650d`"));
    assert!(says("https-url", "https://user:pw@host.example").contains("without user name"));
}

#[test]
fn what_is_printed_is_read_back() {
    for text in ["250ms", "5s", "1m30s", "90d", "1d1h"] {
        assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
    }
    assert_eq!("90d".parse::<Duration>().unwrap().go(), "2160h");
    for text in ["1Ki", "512Mi", "50Gi", "3Ti"] {
        assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
    }
    for text in ["250m", "2", "1500m"] {
        assert_eq!(text.parse::<Cpu>().unwrap().to_string(), text);
    }
    for text in ["10%", "0.5%", "100%"] {
        assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
    }
}
