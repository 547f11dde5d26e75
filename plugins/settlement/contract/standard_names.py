"""Names of the national transactions that a file may have and nothing here asks for: known, and not kept.

2207 and 5203 (settlements), 3201 and 2204 (fee lines), 4101 (lists and their sections), in lower case.
"""

SETTLEMENT = """
    fixmedins_name psn_cert_type naty age cvlserv_flag mdtrt_cert_type mdtrt_cert_no mdtrt_cert_sn dise_no dise_name
    setl_type balc clr_optins clr_optins_name medins_setl_id refd_setl_id exp_content emp_no emp_name ocur_time
    opter_id opter_name opt_time hosp_lv mid_setl_flag
"""
FEE_ITEM = """
    mdtrt_id psn_no psn_name certno fixmedins_code fixmedins_name hilist_code list_type medins_list_codg
    medins_list_name chrgitm_lv hosp_appr_flag bilg_dept_name bilg_dr_name acord_dept_name acord_dr_name
    tcmdrug_used_way drug_used_frqu drug_used_sdose drug_used_way_dscr prdr_used_days used_frqu_dscr dosunt spec
    prodname prod_name prodplac_type etip_flag etip_hosp_code dscg_tkdrug_flag matn_fee_flag sin_dos_dscr
    used_day_num rx_circ_flag rxno init_feedetl_sn rx_drord_no drord_no memo comb_no hi_nego_drug_flag bas_medn_flag
"""
SETTLEMENT_LIST = """
    fixmedins_name hi_setl_lv hi_no dcla_time ntly naty patn_cert_type psn_cert_type prfs curr_addr emp_name
    emp_addr emp_tel poscode coner_name patn_rlts coner_addr coner_tel opsp_diag_caty opsp_mdtrt_date refldept_dept
    refldept_caty otp_wm_dise wm_dise_code otp_tcm_dise tcm_dise_code pwcry_bfadm_coma_dura pwcry_afadm_coma_dura
    bld_cat bld_amt bld_unt spga_nurscare_days lv1_nurscare_days scd_nurscare_days lv3_nurscare_days
    lv3_nursecare_days acp_medins_name acp_optins_code days_rinp_pup_31 chfpdr_name hsorg_opter medins_fill_dept
    medins_fill_psn stas_type insutype med_type psn_type
"""
DIAGNOSIS = "sort tcm_dise_flag"
OPERATION = "sort main_oprn_flag oper_dr_name anst_dr_name anst_begntime anst_endtime"
ITEM = "sort seq"
ICU = "sort seq scs_cutd_sum_dura"

NOT_KEPT = {
    table: frozenset(names.split())
    for table, names in {
        "settlement": SETTLEMENT,
        "fee_item": FEE_ITEM,
        "settlement_list": SETTLEMENT_LIST,
        "settlement_list_diagnosis": DIAGNOSIS,
        "settlement_list_operation": OPERATION,
        "settlement_list_item": ITEM,
        "settlement_list_icu": ICU,
    }.items()
}
"""By table, without the columns that the contract keeps."""
